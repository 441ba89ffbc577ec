import { recipe } from "../../runner/mod.ts";

recipe.each([{ amount: 1, currency: "EUR" }])("each", async (t) => {
  const amount: number = t.matrix.amount;
  const currency: string = t.matrix.currency;
  await t.enqueue("charge", { amount, currency });
  // @ts-expect-error It is a number.
  const text: string = t.matrix.amount;
  void text;
});

recipe("without a matrix", (t) => {
  const value: unknown = t.matrix.amount;
  return Promise.resolve(void value);
});
