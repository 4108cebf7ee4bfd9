import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import * as queries from "../api/queries";
import type { LogLine, Run, Step } from "../api/types";
import { bytes, MAX_LINE, printable } from "../model/text";
import { clock } from "../model/time";
import { ErrorMessage, Loading } from "../parts/Message";

/** Within this distance of the end the view follows new lines; a reader who scrolled up is left alone. */
const FOLLOW_WITHIN_PX = 40;

export function Logs({ run, step, namespace }: { run: Run; step: Step; namespace: string | undefined }) {
  const query = useQuery(queries.logs(namespace, run.id, step.key));
  const box = useRef<HTMLDivElement>(null);
  const follow = useRef(true);
  const lines = query.data?.items;
  useEffect(() => {
    const element = box.current;
    if (element && follow.current) element.scrollTop = element.scrollHeight;
  }, [lines]);
  if (query.isError) return <ErrorMessage error={query.error} />;
  if (!lines) return <Loading what="logs" />;
  if (!lines.length) return <p className="none">{step.call ? "The service wrote nothing during this step." : "Only calls have logs."}</p>;
  return (
    <>
      <div
        ref={box}
        className="logs"
        role="log"
        tabIndex={0}
        aria-label={`Logs of ${step.key}`}
        onScroll={({ currentTarget: at }) => {
          follow.current = at.scrollHeight - at.scrollTop - at.clientHeight < FOLLOW_WITHIN_PX;
        }}
      >
        {lines.map((line, index) => <Line key={index} line={line} />)}
      </div>
      {query.data?.next_cursor && <p className="quiet">More lines: <code>consort runs logs {run.id}</code></p>}
    </>
  );
}

function Line({ line }: { line: LogLine }) {
  const [whole, setWhole] = useState(false);
  const cut = !whole && line.line.length > MAX_LINE;
  const text = printable(cut ? line.line.slice(0, MAX_LINE) : line.line);
  return (
    <div className={line.stream === "stderr" ? "line err" : "line"}>
      <span className="when">{clock(line.at)}</span>
      <span className="stream">{line.attempt > 1 ? `${line.stream} ${line.attempt}` : line.stream}</span>
      <span className="text" dir="auto">
        {text}
        {cut && <button className="plain" onClick={() => setWhole(true)}>… all {bytes(line.line.length)}</button>}
      </span>
    </div>
  );
}
