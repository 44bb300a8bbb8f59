/** `TEST_SHARE=2/8`: of every eight cases of a test that takes minutes the second; all of them when it is not set. */
const [nth = 1, of = 1] = (process.env["TEST_SHARE"] ?? "1/1").split("/").map(Number);

/** So many of so many, one at least. */
export const partOf = (count: number): number => Math.max(1, Math.ceil(count / of));

/** Whether a whole test is of this share, where `place` tells it from others. */
export const isDealt = (place: number): boolean => place % of === nth - 1;
