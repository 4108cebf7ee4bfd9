import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useRef, useState } from "react";
import { post } from "../api/client";
import { keys } from "../api/queries";
import type { Run } from "../api/types";
import { actionsFor, type Action } from "../model/actions";
import { ErrorMessage } from "../parts/Message";

export function Actions({ run, namespace }: { run: Run; namespace: string | undefined }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const dialog = useRef<HTMLDialogElement>(null);
  const [asked, setAsked] = useState<Action>();
  const act = useMutation({
    mutationFn: (action: Action) => post<Run>(`/runs/${encodeURIComponent(run.id)}/${action.name}`, { namespace }),
    onSuccess: (answer, action) => {
      if (action.name === "rerun") void navigate({ to: "/runs/$id", params: { id: answer.id }, search: { namespace } });
      else client.setQueryData(keys.run(run.id), answer);
    },
  });
  const start = (action: Action) => {
    if (!action.confirm) return act.mutate(action);
    setAsked(action);
    dialog.current?.showModal();
  };
  return (
    <div className="actions">
      {actionsFor(run).map((action) => (
        <button key={action.name} title={action.effect} disabled={act.isPending} onClick={() => start(action)}>
          {action.label}
        </button>
      ))}
      {act.isError && <ErrorMessage error={act.error} />}
      <dialog ref={dialog} aria-labelledby="ask">
        <form method="dialog">
          <h2 id="ask">{asked?.label} this run?</h2>
          <p>{asked?.effect}</p>
          <div className="actions">
            <button value="no" autoFocus>Leave it</button>
            <button value="yes" className="strong" onClick={() => asked && act.mutate(asked)}>{asked?.label} the run</button>
          </div>
        </form>
      </dialog>
    </div>
  );
}
