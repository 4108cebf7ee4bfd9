import { describe, expect, it } from "vitest";
import { answerOf, fieldsOf } from "./form";

const SCHEMA = {
  type: "object",
  properties: {
    approved: { type: "boolean" }, why: { type: "string" }, count: { type: "integer" }, sum: { type: ["number", "null"] },
    colour: { enum: ["red", "blue"] }, more: { type: "array" },
  },
  required: ["approved", "colour"],
};

describe("the form of a question", () => {
  const fields = fieldsOf(SCHEMA)!;

  it("has a control for each field of the schema", () => {
    expect(fields.map((field) => `${field.name}:${field.control}`)).toEqual(
      ["approved:yes-no", "why:text", "count:number", "sum:number", "colour:choice", "more:json"],
    );
    expect(fields.filter((field) => field.required).map((field) => field.name)).toEqual(["approved", "colour"]);
  });

  it("is none where the answer is no object", () => {
    expect(fieldsOf(true)).toBeUndefined();
    expect(fieldsOf({ type: "string" })).toBeUndefined();
  });

  it("gives values of the right types and leaves out what was not filled in", () => {
    const typed = { approved: "no", colour: "red", count: "3", sum: "2.5", more: "[1]", why: " " };
    expect(answerOf(fields, typed)).toEqual({ output: { approved: false, colour: "red", count: 3, sum: 2.5, more: [1] } });
  });

  it("says what is wrong by field", () => {
    expect(answerOf(fields, { colour: "red", count: "1.5", more: "[" })).toEqual({
      wrong: { approved: "is needed", count: "is not a whole number", more: "is not JSON" },
    });
  });
});
