import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { post } from "../api/client";
import { keys } from "../api/queries";
import type { Json, Run } from "../api/types";
import { answerOf, fieldsOf, type FormField, type Typed } from "../model/form";
import { ErrorMessage } from "../parts/Message";

interface Props {
  run: string;
  step: string;
  form: Json | undefined;
  namespace: string | undefined;
}

/** The form of a question, made from the schema of its answer. The first answer wins; a later one is told so. */
export function AnswerForm({ run, step, form, namespace }: Props) {
  const client = useQueryClient();
  const [typed, setTyped] = useState<Typed>({});
  const [wrong, setWrong] = useState<Record<string, string>>({});
  const fields = fieldsOf(form) ?? [ANYTHING];
  const whole = fieldsOf(form) === undefined;
  const answer = useMutation({
    mutationFn: (output: Json) =>
      post<Run>(`/runs/${encodeURIComponent(run)}/steps/${encodeURIComponent(step)}/complete`, { namespace }, { output }),
    onSuccess: (after) => {
      client.setQueryData(keys.run(run), after);
      void client.invalidateQueries({ queryKey: keys.approvals });
    },
  });
  const send = () => {
    const given = answerOf(fields, typed);
    setWrong("wrong" in given ? given.wrong : {});
    if ("output" in given) answer.mutate(whole ? (given.output as Record<string, Json>)[ANYTHING.name] ?? null : given.output);
  };
  if (answer.isSuccess) return <p className="message" role="status">Answered. The run goes on.</p>;
  return (
    <form className="answer" aria-label={`Answer of ${step}`} onSubmit={(event) => (event.preventDefault(), send())}>
      {fields.map((field) => (
        <Field key={field.name} id={`${run}-${step}-${field.name}`} field={field} value={typed[field.name] ?? ""} wrong={wrong[field.name]}
          onType={(text) => setTyped((old) => ({ ...old, [field.name]: text }))} />
      ))}
      <div className="actions"><button className="strong" disabled={answer.isPending}>Answer</button></div>
      {answer.isError && <ErrorMessage error={answer.error} />}
    </form>
  );
}

/** Where the answer is no object: one piece of JSON. */
const ANYTHING: FormField = { name: "answer", label: "answer", control: "json", options: [], required: true, whole: false };

interface FieldProps {
  id: string;
  field: FormField;
  value: string;
  wrong: string | undefined;
  onType: (text: string) => void;
}

function Field({ id, field, value, wrong, onType }: FieldProps) {
  const common = { id, name: field.name, value, "aria-invalid": wrong !== undefined };
  const options = field.control === "yes-no" ? ["yes", "no"] : field.options;
  return (
    <p className="field">
      <label htmlFor={id}>{field.label}{field.required ? "" : " (optional)"}</label>
      {options.length > 0 ? (
        <select {...common} onChange={(event) => onType(event.target.value)}>
          <option value="">–</option>
          {options.map((option) => <option key={option}>{option}</option>)}
        </select>
      ) : field.control === "json" ? (
        <textarea {...common} rows={3} placeholder="JSON" onChange={(event) => onType(event.target.value)} />
      ) : (
        <input {...common} inputMode={field.control === "number" ? "decimal" : "text"} onChange={(event) => onType(event.target.value)} />
      )}
      {wrong && <span className="wrong" role="alert">{field.label} {wrong}</span>}
    </p>
  );
}
