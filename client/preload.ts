/**
 * Loads at once what a client else loads when it is first used: for a program that will use all of
 * it, and whose own start is what people wait for.
 */
export async function preload(): Promise<void> {
  await Promise.all([
    import("./dispatch.ts"),
    import("./lanes.ts"),
    import("./_following.ts"),
    import("./_reading.ts"),
    import("../runtime/terminate.ts"),
  ]);
}
