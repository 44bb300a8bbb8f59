import { never, type Language } from "./language.ts";

export const go: Language = {
  name: "go",
  comment: ["//"],
  quotes: '"`',
  block: /^\s{0,200}\/\*(?!.{0,400}\*\/)/u,
  test: /^func\s{1,3}((?:Test|Fuzz|Example)\w{0,120})\s{0,3}\(|^func\s{1,3}\([^()]{1,60}\)\s{0,3}(Test\w{1,120})\s{0,3}\(|^\s{0,200}(?:It|Specify|Entry)\(/u,
  table: /\bt\.Run\(|\brange\b|\bDescribeTable\(/u,
  assertion:
    /\b[tbf]\.(?:Errorf?|Fatalf?|Fail|FailNow)\(|\b(?:require|assert|is|qt|must|check|td|cmp)\.[A-Z]\w{0,40}\(|\bExpect\(|\bassert\w{0,40}\(t\b|\bsuite\.(?:Equal|Require|NoError|True|False)\w{0,20}\(|\bs\.(?:Equal|NoError|True|False|Error|Nil|Len)\w{0,20}\(/u,
  vacuous: /\b(?:require|assert)\.True\(t,\s{0,3}true|\bif\s{1,3}false\b|\|\|\s{0,3}true\b|&&\s{0,3}false\b/u,
  weak: /\b(?:require|assert)\.(?:NotNil|NoError|NotEmpty|NotPanics|Error|NotZero)\(|^if(?:\w{1,20}(?:,\w{1,20})?:=.{1,200};)?\w{1,40}[!=]=nil\{|\.NotTo\(BeNil|\.NotTo\(HaveOccurred/u,
  partial:
    /\b(?:require|assert)\.(?:Contains|Greater\w{0,8}|Less\w{0,8}|InDelta|InEpsilon|Regexp|Subset|True|False|IsType|WithinDuration)\(|strings\.(?:Contains|HasPrefix)\(|^if\w{1,40}(?:\.\w{1,40})?[<>]|len\(\w{1,40}\)[<>]|==0\{/u,
  skip: /\b[tbfs]\.Skip(?:Now|f)?\(|\bT\(\)\.Skip|\btesting\.Short\(\)|\b(?:PIt|XIt|PDescribe|XDescribe|Skip)\(/u,
  skipRaw: /^\s{0,3}\/\/\s{0,3}\+build\b|^\s{0,3}\/\/go:build\b/u,
  focus: /\b(?:FIt|FDescribe|FContext|FEntry)\(/u,
  swallow: /\brecover\(\)/u,
  tries: never,
  catches: never,
  declares: /^func\s{1,3}(?:\([^()]{1,80}\)\s{0,3})?(\w{1,80})|^(?:type|var|const)\s{1,3}(\w{1,80})/u,
  double: never,
};

export const rust: Language = {
  name: "rust",
  comment: ["//"],
  quotes: '"',
  block: /^\s{0,200}\/\*(?!.{0,400}\*\/)/u,
  test: /^\s{0,200}#\[(?:[\w:]{1,40}::)?(?:test|rstest|test_case|proptest|wasm_bindgen_test|quickcheck)\b/u,
  table: /#\[(?:case|test_case|values)\b|\bfor\s.{1,100}\sin\s|\.iter\(\)/u,
  assertion:
    /\b(?:debug_)?assert(?:_\w{1,40})?!\s{0,3}[([{]|\bprop_assert\w{0,10}!\(|\bpanic!\(|\.unwrap_err\(\)|\.expect_err\(/u,
  vacuous:
    /\bassert!\(\s{0,3}true\s{0,3}[,)]|\|\|\s{0,3}true\s{0,3}[,)]|\bassert_eq!\(\s{0,3}([\w.]{1,60})\s{0,3},\s{0,3}\1\s{0,3}\)|\bmatches!\([^()]{1,80},\s{0,3}_\s{0,3}\)/u,
  weak: /\.is_(?:some|ok|err|none)\(\)|Ok\(_\)|Some\(_\)|Err\(_\)|!\s{0,3}\w{1,40}\.is_empty\(\)|\.len\(\)\s{0,3}>=?\s{0,3}[01]\b|>=\s{0,3}0\s{0,3}\)/u,
  partial:
    /\bmatches!\(|\.contains\(|\.starts_with\(|\.ends_with\(|\.abs\(\)\s{0,3}<|\bassert!\([^=!]{1,200}[<>][^=]|\bassert_ne!|\bassert!\([^=<>]{1,200}\)$|\bassert!\(!/u,
  skip: /#\[ignore\b|#\[cfg_attr\([^\]]{0,120}ignore|#\[should_panic|#!?\[cfg\((?!test\)|all\(test)/u,
  swallow: /\bcatch_unwind\(/u,
  tries: never,
  catches: never,
  declares: /\b(?:fn|struct|enum|trait|mod|const|static|type)\s{1,3}(\w{1,80})/u,
  double: never,
};

export const java: Language = {
  name: "java",
  comment: ["//"],
  quotes: '"',
  block: /^\s{0,200}\/\*(?!.{0,400}\*\/)/u,
  test: /^\s{0,200}@(?:org\.[\w.]{1,40}\.)?\w{0,30}(?:Test|Property|TestFactory|TestTemplate)\b(?!Instance|Method|Class|Container|Suite|Configuration)/u,
  table:
    /@ParameterizedTest|@RepeatedTest|@TestFactory|@(?:Value|Csv|Method|Enum)Source|dataProvider|\.forEach\(|\bfor\s{0,3}\(/u,
  assertion:
    /\bassert\w{0,40}\s{0,3}\(|\bAssert(?:ions)?\.\w{1,40}\(|\bverify\w{0,30}\(|\.andExpect\(|\bfail\(|\bexpectThrows\(|\.should\w{1,20}\b|\bshouldBe\b|\bshouldThrow\b|\bStepVerifier\b|\.expectNext|^\s{0,200}assert\s|\bcheckAll\(|expected\s{0,3}=\s{0,3}\w{1,60}\.class/u,
  vacuous:
    /\bassertTrue\(\s{0,3}true\s{0,3}[,)]|\bassertFalse\(\s{0,3}false\s{0,3}[,)]|\bassertThat\(\s{0,3}true\s{0,3}\)|\|\|\s{0,3}true\b|\bassertEquals\(\s{0,3}([\w.]{1,60})\s{0,3},\s{0,3}\1\s{0,3}\)|\bassertEquals\(\s{0,3}(\d{1,9}|"[^"]{0,40}")\s{0,3},\s{0,3}\2\s{0,3}\)/u,
  weak: /\bassertNotNull\(|\.isNotNull\(\)|\bassertDoesNotThrow\(|\.isNotEmpty\(\)|\bassertInstanceOf\(|\.isInstanceOf\(|\.isPresent\(\)\s{0,3}\)?;?$|\bassert(?:Throws|ThatThrownBy)\(\s{0,3}(?:Exception|RuntimeException|Throwable)\.class|\.isGreaterThanOrEqualTo\(\s{0,3}0\s{0,3}\)|\bnotNullValue\(\)|\bshouldNotBe\s{1,3}null|\.doesNotThrowAnyException\(|verify\(\w{1,40},\s{0,3}(?:atLeast\(0\)|atMost)/u,
  partial:
    /\bassert(?:True|False)\(|\.is(?:True|False)\(\)|\.contains\w{0,20}\(|\.startsWith\(|\.is(?:Greater|Less|Close|Between|Positive)\w{0,20}\(|\bcontainsString\(|\.hasSizeGreaterThan|any\(\)|anyString\(\)|\.matches\(|verify\(\w{1,40},\s{0,3}atLeastOnce/u,
  skip: /@(?:Disabled|Ignore|DisabledOn\w{1,20}|DisabledIf\w{0,20}|EnabledIf\w{0,30}|EnabledOn\w{1,20}|IgnoreIf|PendingFeature)\b|\bassum(?:e|ing)\w{0,20}\(|\bAssum(?:e|ptions)\.|\benabled\s{0,3}=\s{0,3}false|\bSkipException\b|\bAbortedException\b/u,
  swallow: /\brunCatching\s{0,3}\{|\.exceptionally\(/u,
  tries: /^\s{0,200}try\b/u,
  catches: /^\s{0,200}\}?\s{0,3}catch\b/u,
  declares:
    /\b(?:class|interface|record|enum|fun|object)\s{1,3}(\w{1,80})|^\s{1,40}(?:(?:public|private|protected|static|final|synchronized)\s{1,3}){0,4}[\w<>[\],.?]{1,60}\s{1,3}(\w{1,80})\s{0,3}\([^;]{0,200}\{/u,
  double:
    /\b(?:mock|spy|mockConstruction|mockStatic)\(\s{0,3}(\w{1,80})(?:\.class|::class)|\b(?:mockk|spyk|mock|spy)<(\w{1,80})>|@(?:Mock|MockBean|MockitoBean|MockK|Spy|SpyBean)\b.{0,60}?\s(\w{1,80})\s{1,3}\w{1,80}\s{0,3};|\b(?:spy|spyk)\(\s{0,3}new\s{1,3}(\w{1,80})/u,
};

export const csharp: Language = {
  name: "csharp",
  comment: ["//"],
  quotes: '"',
  block: /^\s{0,200}\/\*(?!.{0,400}\*\/)|^\s{0,200}#if\s{1,3}(?:false|NEVER|DISABLED)/u,
  test: /^\s{0,200}\[\s{0,3}(?:\w{1,30}\s{0,3},\s{0,3}){0,3}(?:Fact|Theory|Test|TestCase|TestMethod|DataTestMethod|TestCaseSource|Property|\w{1,20}Fact|\w{1,20}Theory)\b/u,
  table: /\[(?:Theory|InlineData|MemberData|TestCase|TestCaseSource|DataRow|ClassData)\b|\bforeach\b/u,
  assertion:
    /\bAssert\.\w{1,40}|\.Should\w{0,30}\(|\.Verify\w{0,20}\(|\.Received\w{0,20}\(|\b(?:Collection|String)Assert\.|\bVerify\(/u,
  vacuous:
    /\bAssert\.(?:True|IsTrue|That)\(\s{0,3}true\b|\bAssert\.Pass\(|\|\|\s{0,3}true\b|\bAssert\.(?:Equal|AreEqual)\(\s{0,3}([\w.]{1,60})\s{0,3},\s{0,3}\1\s{0,3}\)/u,
  weak: /\bAssert\.(?:NotNull|IsNotNull|NotEmpty|IsType|IsAssignableFrom|DoesNotThrow\w{0,8}|IsInstanceOf\w{0,8})\b|Is\.Not\.(?:Null|Empty)|\.NotBe(?:Null|Empty)\w{0,12}\(|\.NotThrow\w{0,8}\(|\bThrowsAny\w{0,8}<Exception>|\bThrows\w{0,8}<Exception>|GreaterOrEqual\([^,]{1,80},\s{0,3}0\)/u,
  partial:
    /\bAssert\.(?:True|False|IsTrue|IsFalse|Contains|StartsWith|InRange|Greater\w{0,8}|Less\w{0,8}|Matches)\b|Does\.Contain|Is\.(?:True|False|Greater\w{0,12}|Less\w{0,12})|\.(?:Contain|StartWith|BeGreater\w{0,20}|BeApproximately|BeTrue|BeFalse)\(|It\.IsAny/u,
  skip: /\bSkip\s{0,3}=|\[\s{0,3}(?:Ignore|Explicit)\b|,\s{0,3}(?:Ignore|Explicit)\b|\bAssert\.(?:Ignore|Inconclusive|Skip)\b|\bSkip\.If|\bSkip\.Unless|\bIgnoreReason\b/u,
  swallow: never,
  tries: /^\s{0,200}try\b/u,
  catches: /^\s{0,200}\}?\s{0,3}catch\b/u,
  declares:
    /\b(?:class|interface|record|struct|enum)\s{1,3}(\w{1,80})|^\s{1,40}(?:(?:public|private|protected|internal|static|async|override|virtual|sealed)\s{1,3}){1,4}[\w<>[\],.?]{1,60}\s{1,3}(\w{1,80})\s{0,3}[({=]/u,
  double:
    /\bnew\s{1,3}Mock<(\w{1,80})>|\bSubstitute\.For(?:PartsOf)?<(\w{1,80})>|\bA\.Fake<(\w{1,80})>|\bMock\.Of<(\w{1,80})>/u,
};
