/** The fields of a question's answer, made from its JSON Schema, and the answer made from what was typed. */

import type { Json } from "../api/types";

export interface FormField {
  name: string;
  label: string;
  control: "yes-no" | "choice" | "number" | "text" | "json";
  /** Of a choice. */
  options: string[];
  required: boolean;
  whole: boolean;
}

/** What a person has typed, by field; a choice that was not made is empty. */
export type Typed = Record<string, string>;

export type Answer = { output: Json } | { wrong: Record<string, string> };

/** The fields of the form; none when the answer is no object: then it is one piece of JSON. */
export function fieldsOf(schema: Json | undefined): FormField[] | undefined {
  const properties = member(schema, "properties");
  if (!isMap(properties)) return undefined;
  const listed = member(schema, "required");
  const required = Array.isArray(listed) ? listed : [];
  return Object.entries(properties).map(([name, of]) => fieldOf(name, of, required.includes(name)));
}

function fieldOf(name: string, of: Json, required: boolean): FormField {
  const type = plainType(of);
  const choices = member(of, "enum");
  const field = { name, label: name.replaceAll("_", " "), options: [] as string[], required, whole: type === "integer" };
  if (Array.isArray(choices) && choices.every((choice) => typeof choice === "string")) return { ...field, control: "choice", options: choices as string[] };
  if (type === "boolean") return { ...field, control: "yes-no" };
  if (type === "integer" || type === "number") return { ...field, control: "number" };
  if (type === "string") return { ...field, control: "text" };
  return { ...field, control: "json" };
}

/** The type without null: `["string", "null"]` and `anyOf` of one with null are that one. */
function plainType(of: Json): string | undefined {
  const type = member(of, "type");
  if (typeof type === "string") return type;
  if (Array.isArray(type)) return type.filter((one) => one !== "null").map(String)[0];
  const several = member(of, "anyOf");
  return Array.isArray(several) ? several.map(plainType).find((one) => one !== "null") : undefined;
}

/** The answer, or what is wrong with it by field. The server checks it again. */
export function answerOf(fields: FormField[], typed: Typed): Answer {
  const output: { [key: string]: Json } = {};
  const wrong: Record<string, string> = {};
  for (const field of fields) {
    const text = typed[field.name] ?? "";
    if (text.trim() === "") {
      if (field.required && field.control === "text") output[field.name] = "";
      else if (field.required) wrong[field.name] = "is needed";
      continue;
    }
    const value = valueOf(field, text);
    if (value === undefined) wrong[field.name] = field.control === "json" ? "is not JSON" : field.whole ? "is not a whole number" : "is not a number";
    else output[field.name] = value;
  }
  return Object.keys(wrong).length > 0 ? { wrong } : { output };
}

function valueOf(field: FormField, text: string): Json | undefined {
  switch (field.control) {
    case "yes-no": return text === "yes";
    case "choice":
    case "text": return text;
    case "number": {
      const number = Number(text);
      return Number.isFinite(number) && (!field.whole || Number.isInteger(number)) ? number : undefined;
    }
    case "json":
      try {
        return JSON.parse(text) as Json;
      } catch {
        return undefined;
      }
  }
}

const isMap = (json: Json | undefined): json is { [key: string]: Json } => typeof json === "object" && json !== null && !Array.isArray(json);

const member = (json: Json | undefined, name: string): Json | undefined => (isMap(json) ? json[name] : undefined);
