import { never, type Language } from "./language.ts";

export const javascript: Language = {
  name: "javascript",
  comment: ["//"],
  quotes: "\"'`",
  block: /^\s{0,200}\/\*(?!.{0,400}\*\/)/u,
  test: /^\s{0,200}(?:\)\s{0,3};?\s{0,3})?(?:await\s{1,3})?(?:Deno\.test|[xf]?(?:it|test|specify))(?:\.(?:concurrent|sequential|serial|each|for|only|skip|fails|failing|skipIf|runIf|slow)){0,4}\s{0,3}[(`]/u,
  table: /\.(?:each|for)\s{0,3}[(`]|\bfor\s{0,3}(?:await\s{0,3})?\(|\.forEach\(/u,
  assertion:
    /\bexpect\s{0,3}(?:\.(?:soft|poll|assertions|hasAssertions|unreachable)\s{0,3})?\(|\bassert(?:\.\w{1,30}){0,3}\s{0,3}\(|\.should\b|\bt\.(?:is|not|deepEqual|equal|equals|true|false|throws|throwsAsync|ok|like|same|strictEqual|deepStrictEqual|match|regex|rejects)\(|\bexpectTypeOf\(|\bassertEquals\(/u,
  vacuous:
    /\bexpect\(\s{0,3}(?:true|1|"[^"]{0,20}")\s{0,3}\)\s{0,3}\.(?:toBe|toEqual|toBeTruthy|toBeDefined|not)|\.(?:toBe|toEqual|toStrictEqual)\(\s{0,3}expect\.any(?:thing)?\(|\bassert(?:\.ok|\.equal)?\(\s{0,3}(?:true|1)\s{0,3}[,)]|\|\|\s{0,3}true\s{0,3}\)|\bexpect\(\s{0,3}([\w.]{1,60})\s{0,3}\)\.(?:toBe|toEqual|toStrictEqual)\(\s{0,3}\1\s{0,3}\)|\bexpect\.assertions\(0\)/u,
  weak: /\.toBe(?:Defined|Truthy)\(|\.not\.toBe(?:Undefined|Null|Falsy)\(|\.not\.toThrow|\.not\.to\.(?:throw|be\.(?:null|undefined))|\.to\.(?:exist|be\.ok)\b|\bassert\.(?:ok|exists|isDefined|isOk|doesNotThrow)\(|\.toBeInstanceOf\(|typeof\s|expect\.any|\.toBeTypeOf\(|\.length\)?\.toBeGreaterThan|\.toBeGreaterThanOrEqual\(\s{0,3}0\s{0,3}\)|\.not\.(?:toBe|toEqual)\(\s{0,3}(?:null|undefined)/u,
  partial:
    /\.toContain(?:Equal)?\(|\.toMatchObject\(|\.toMatch\(|\.objectContaining\(|\.arrayContaining\(|\.stringContaining\(|\.toBe(?:Greater|Less)Than|\.toBeCloseTo\(|\.toHaveProperty\(\s{0,3}["'][^,()]{1,80}\)|\.toHaveBeenCalled\(\)|\.toBeCalled\(\)|\.toThrow\(\)|\.toThrowError\(\)|\.rejects\.toThrow\(\)|\.to\.(?:include|contain|match)\b|\.includes\(/u,
  skip: /\b(?:it|test|describe|context|suite|specify|bench|Deno\.test)(?:\.\w{1,20}){0,3}\.(?:skip|skipIf|runIf|fails|failing|fixme|ignore)\b|\bx(?:it|describe|test|context|specify)(?:\.\w{1,20})?\s{0,3}\(|\b(?:this|t|ctx|context|test)\.skip\(|=\s{0,3}[\w.]{1,40}\.(?:skip|todo|fixme)\b(?!\s{0,3}\()|[{,]\s{0,3}skip\s{0,3}:\s{0,3}(?:it|test|describe)\b|[{,]\s{0,3}(?:skip|todo|ignore)\s{0,3}:\s{0,3}(?!false)|\bpending\(\)/u,
  skipRaw: /\b(?:it|test|describe|context|suite)\s{0,3}\[\s{0,3}["'`](?:skip|todo|only)["'`]\s{0,3}\]/u,
  focus: /\b(?:it|test|describe|context|suite)(?:\.\w{1,20}){0,3}\.only\b|\bf(?:it|describe)\s{0,3}\(/u,
  swallow:
    /\.catch\(\s{0,3}(?:\(\w{0,20}\)|\w{1,20}|async \(\))\s{0,3}=>\s{0,3}(?:\{\s{0,3}\}|undefined|null|void 0)\s{0,3}\)/u,
  tries: /^\s{0,200}try\s{0,3}\{/u,
  catches: /^\s{0,200}\}?\s{0,3}catch\b/u,
  declares:
    /\b(?:function\*?|class|const|let|var|interface|type|enum)\s{1,4}([A-Za-z_$][\w$]{0,80})|^\s{1,40}(?:async\s{1,3}|static\s{1,3}|get\s{1,3})?([A-Za-z_$][\w$]{2,80})\([^()]{0,200}\)(?:\s{0,3}:[^{}]{0,80})?\s{0,3}\{/u,
  double:
    /\b(?:vi|jest|mock|td)\.(?:mock|doMock|unstable_mockModule|module|replace|replaceEsm)\(\s{0,3}(?:import\()?["'`]([^"'`]{1,200})["'`]|\bspyOn\([^,()]{1,80},\s{0,3}["'`](\w{1,80})["'`]\s{0,3}\)\s{0,3}\.\s{0,3}mock|\b(?:sinon|sandbox)\.stub\([^,()]{1,80},\s{0,3}["'`](\w{1,80})["'`]/u,
};

export const python: Language = {
  name: "python",
  comment: ["#"],
  quotes: "\"'",
  block: /^\s{0,200}[rbuf]?(?:"""|''')(?!.{0,400}(?:"""|'''))/u,
  test: /^\s{0,200}(?:async\s{1,3})?def\s{1,3}(test\w{0,120})\s{0,3}\(/u,
  table: /\bparametrize\(|\bsubTest\(|@ddt|@given\(|@data\(|^\s{0,200}for\s.{1,200}\sin\s/u,
  assertion:
    /^\s{0,200}assert\b|;\s{0,3}assert\b|\bself\.(?:assert\w{1,40}|fail)\(|\bpytest\.(?:raises|warns|fail)\(|\bassert_\w{1,40}\(|\.assert_\w{1,40}\(|\bwith\s{1,3}raises\(|\bnp\.testing\./u,
  vacuous:
    /^\s{0,200}assert\s{0,3}\(?\s{0,3}(?:True|1|not False|"[^"]{0,40}")\s{0,3}\)?\s{0,3}(?:,|$)|\bassertTrue\(\s{0,3}(?:True|1)\s{0,3}[,)]|\bor\s{1,3}True\b|\bassert\s{1,3}\(.{1,300},\s{0,3}["'][^"']{0,200}["']\)\s{0,3}$|\bassert\s{1,3}([\w.]{1,60})\s{0,3}(?:==|is)\s{0,3}\1\s{0,3}$|\bassertEqual\(\s{0,3}([\w.]{1,60})\s{0,3},\s{0,3}\2\s{0,3}\)|\bANY\s{0,3}$/u,
  weak: /\bis\s{1,3}not\s{1,3}None\b|\bassertIsNotNone\(|\bisinstance\(|\bassertIsInstance\(|\bhasattr\(|\bcallable\(|\blen\([^()]{1,80}\)\s{0,3}>=?\s{0,3}[01]\b|>=\s{0,3}0\s{0,3}$|\bin\s{0,3}\((?:True,\s{0,3}False|False,\s{0,3}True)\)|\bpytest\.raises\(\s{0,3}(?:Base)?Exception\s{0,3}\)|\bassertRaises\(\s{0,3}(?:Base)?Exception\b|!=\s{0,3}None\b|\btype\(/u,
  partial:
    /^\s{0,200}assert\s{1,3}(?:not\s{1,3})?[\w.[\]"']{1,80}(?:\([^()]{0,120}\))?\s{0,3}(?:,|$)|^\s{0,200}assert\b(?!.{0,2000}==).{0,200}?\s(?:not\s{1,3})?in\s|\bassert(?:In|True|False|Greater|Less|AlmostEqual|Regex|GreaterEqual|LessEqual)\(|(?<![=!<>-])[<>](?!=)|[<>]=|\.startswith\(|\.endswith\(|\bapprox\(|\bisclose\(|\ballclose\(|\.assert_called(?:_once)?\(\)|\bre\.(?:search|match)\(/u,
  skip: /@(?:pytest\.mark\.|unittest\.|mark\.)?(?:skip|skipif|skipIf|skipUnless|xfail|expectedFailure)\b|\bpytest\.(?:skip|xfail|importorskip)\(|\bskipTest\(|\bSkipTest\b|\bpytestmark\s{0,3}=|\bmark\.(?:skip|skipif|xfail)\b|\bcollect_ignore(?:_glob)?\b|\b__test__\s{0,3}=\s{0,3}False|\bunittest\.(?:skip\w{0,10}|expectedFailure)\b/u,
  swallow: /\b(?:contextlib\.)?suppress\(\s{0,3}(?:AssertionError|(?:Base)?Exception)/u,
  tries: /^\s{0,200}try\s{0,3}:/u,
  catches: /^\s{0,200}except\b/u,
  declares:
    /^\s{0,200}(?:async\s{1,3})?(?:def|class)\s{1,3}(\w{1,80})|^([A-Za-z_]\w{1,80})\s{0,3}(?::[^=]{1,60})?=/u,
  double:
    /\bpatch\(\s{0,3}["']([\w.]{1,200})["']|\bpatch\.object\(\s{0,3}[\w.]{1,80},\s{0,3}["'](\w{1,80})["']|\bmonkeypatch\.setattr\(\s{0,3}["']([\w.]{1,200})["']|\bmonkeypatch\.setattr\(\s{0,3}[\w.]{1,80},\s{0,3}["'](\w{1,80})["']/u,
};

export const ruby: Language = {
  name: "ruby",
  comment: ["#"],
  quotes: "\"'`",
  block: /^=begin\b|^__END__\b/u,
  test: /^\s{0,200}[xf]?(?:it|specify|example|scenario|test)\s{0,3}[("'{]|^\s{0,200}(?:it|specify|example)\s{1,3}do\b|^\s{0,200}def\s{1,3}(test_\w{1,120})/u,
  table: /\.each(?:_with_index)?\b|\bwhere\b|\bshared_examples\b|\bit_behaves_like\b|\binclude_examples\b/u,
  assertion:
    /\bexpect\s{0,3}[({]|\bexpect\s{1,3}do\b|\bis_expected\b|\.should(?:_not)?\b|\b(?:assert|refute)\w{0,40}[\s(]|\.(?:must|wont)_\w{1,30}/u,
  vacuous:
    /\bexpect\(\s{0,3}true\s{0,3}\)|\bassert\s{0,3}\(?\s{0,3}true\b|\|\|\s{0,3}true\b|\bto\s{1,3}(?:eq|match)\(?\s{0,3}anything\b/u,
  weak: /\bnot_to\s{1,3}(?:be_nil|raise_error)\b|\bto\s{1,3}be_(?:truthy|present)\b|\brefute_nil\b|\bassert_not_nil\b|\bto\s{1,3}be_an?\b|\bassert_instance_of\b|\bassert_nothing_raised\b|\bto\s{1,3}be\s{0,3}$/u,
  partial:
    /\bto\s{1,3}(?:include|match|start_with|end_with|be_within|respond_to|have_received\(\s{0,3}:\w{1,60}\s{0,3}\)\s{0,3}$)|\bbe\s{0,3}[<>]|\braise_error\s{0,3}$|\bassert_(?:includes|match|in_delta)\b|\bassert\s{1,3}[\w.]{1,60}\s{0,3}$|\bhash_including\b/u,
  skip: /^\s{0,200}x(?:it|describe|context|specify|example|scenario)\b|^\s{0,200}(?:skip|pending)\b|,\s{0,3}(?::skip|:pending|skip:|pending:)|\bfilter_run_excluding\b/u,
  focus: /^\s{0,200}f(?:it|describe|context|specify)\b|,\s{0,3}(?::focus\b|focus:)/u,
  swallow: /\brescue\s{1,3}(?:nil|true|false)\b/u,
  tries: /^\s{0,200}begin\b/u,
  catches: /^\s{0,200}rescue\b/u,
  declares: /^\s{0,200}(?:def\s{1,3}(?:self\.)?|class\s{1,3}|module\s{1,3})([\w?!]{1,80})/u,
  double:
    /\ballow_any_instance_of\(\s{0,3}([\w:]{1,80})|\b(?:instance_|class_|object_)double\(\s{0,3}["']?([\w:]{1,80})|\ballow\(\s{0,3}(?:described_class|subject)\s{0,3}\)\.to\s{1,3}receive\(\s{0,3}:(\w{1,80})/u,
};

/** A language of which only the usual forms are known. */
export const other: Language = {
  name: "other",
  comment: ["//", "#"],
  quotes: "\"'",
  block: /^\s{0,200}\/\*(?!.{0,400}\*\/)/u,
  test: /^\s{0,200}(?:public\s{1,3})?func(?:tion)?\s{1,3}(test\w{0,120})\s{0,3}\(|^\s{0,200}test\s{1,3}["']|^\s{0,200}TEST(?:_[FP])?\(|^\s{0,200}@Test\b|^\s{0,200}TEST_CASE\(/u,
  table: /@dataProvider|\bINSTANTIATE_TEST/u,
  assertion:
    /\b(?:assert|XCTAssert|EXPECT_|ASSERT_|REQUIRE|CHECK|expect)\w{0,40}\s{0,3}[(\s]|->assert\w{1,40}\(|#expect\(|\brefute\b/u,
  vacuous: /\bassert(?:True)?\(?\s{0,3}true\s{0,3}\)?|XCTAssertTrue\(true\)|EXPECT_TRUE\(true\)/u,
  weak: /assertNotNull|XCTAssertNotNil|assertNotEmpty|EXPECT_NE\([^,]{1,80},\s{0,3}nullptr/u,
  partial: /assertContains|XCTAssertTrue|EXPECT_TRUE|assertTrue|assertStringContains/u,
  skip: /markTestSkipped|markTestIncomplete|XCTSkip|GTEST_SKIP|\bDISABLED_|@tag\s{1,3}:skip|\.disabled\(|\.enabled\(if/u,
  swallow: never,
  tries: /^\s{0,200}try\b/u,
  catches: /^\s{0,200}\}?\s{0,3}catch\b|^\s{0,200}rescue\b/u,
  declares: /\b(?:function|func|def|class|struct|defmodule)\s{1,3}([\w.]{1,80})/u,
  double: never,
};
