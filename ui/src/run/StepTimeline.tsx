import { getRouteApi, Link } from "@tanstack/react-router";
import { useMemo, type KeyboardEvent } from "react";
import type { Run, Step } from "../api/types";
import { countStates, tone, word } from "../model/state";
import { rows, tries, type StepRow } from "../model/steps";
import { duration, elapsed } from "../model/time";
import { bars, scale, type Bar, type Scale } from "../model/timeline";
import { Chevron, StateIcon } from "../parts/Icon";
import { Empty } from "../parts/Message";

const route = getRouteApi("/runs/$id");

interface Props {
  run: Run;
  steps: Step[];
  now: number;
  selected: string | undefined;
  onSelect: (key: string | undefined) => void;
}

/** The list and the timeline in one: each step is a row, its time a bar on the run's axis. */
export function StepTimeline({ run, steps, now, selected, onSelect }: Props) {
  const { open } = route.useSearch();
  const toggled = useMemo(() => new Set(open?.split(",")), [open]);
  const shown = useMemo(() => rows(steps, toggled), [steps, toggled]);
  const axis = scale(run, steps, now);
  if (!steps.length) return <Empty title="No step has begun yet" />;
  return (
    <section className="steps" aria-label="Steps">
      <Patterns />
      <div className="steps-head">
        <h2>Steps</h2>
        <Axis scale={axis} />
      </div>
      <ol onKeyDown={(event) => moveFocus(event, onSelect)}>
        {shown.map((row) => (
          <Row key={row.step.key} row={row} steps={steps} axis={axis} now={now} toggled={toggled} isSelected={row.step.key === selected} />
        ))}
      </ol>
    </section>
  );
}

/** The link of the chosen row, and no other, is the current one. */
const EXACT = { exact: true, includeSearch: true };

interface RowProps {
  row: StepRow;
  steps: Step[];
  axis: Scale;
  now: number;
  toggled: ReadonlySet<string>;
  isSelected: boolean;
}

function Row({ row, steps, axis, now, toggled, isSelected }: RowProps) {
  const { step, depth, name } = row;
  const took = elapsed(step.started_at, step.finished_at, now);
  return (
    <li className={isSelected ? "step selected" : "step"} data-step={step.key} data-state={step.state}>
      <div className="step-name" style={{ paddingInlineStart: `${depth * 18}px` }}>
        <Toggle row={row} toggled={toggled} />
        <StateIcon state={step.state} />
        <Link
          className="row-link"
          to="/runs/$id"
          from="/runs/$id"
          search={(old) => ({ ...old, step: step.key })}
          activeOptions={EXACT}
          replace
          resetScroll={false}
        >
          {name}<span className="unseen">, {word(step.state)}</span>
        </Link>
        <span className="step-kind">{row.children && !row.open ? <Counts steps={steps} parent={step.key} /> : step.call ?? step.kind}</span>
        <Progress step={step} />
        {tries(step) > 1 && <span className="badge" title={`${tries(step)} tries`}>{tries(step)} tries</span>}
        {step.cached?.hit ? <span className="badge" title={`From ${step.cached.run}, ${step.cached.step}`}>cached</span> : null}
      </div>
      <div className="step-took">{took === undefined ? word(step.state) : duration(took)}</div>
      <BarStrip bars={bars(step, axis, now, row.children > 0)} />
    </li>
  );
}

function Toggle({ row, toggled }: { row: StepRow; toggled: ReadonlySet<string> }) {
  if (!row.children) return <span className="toggle" />;
  const next = new Set(toggled);
  if (!next.delete(row.step.key)) next.add(row.step.key);
  const open = [...next].join(",") || undefined;
  return (
    <Link
      className="toggle"
      to="/runs/$id"
      from="/runs/$id"
      search={(old) => ({ ...old, open })}
      replace
      resetScroll={false}
      activeOptions={EXACT}
      aria-label={`${row.open ? "Close" : "Open"} the ${row.children} steps of ${row.step.key}`}
      aria-expanded={row.open}
    >
      <Chevron open={row.open} />
    </Link>
  );
}

function Progress({ step: { state, progress } }: { step: Step }) {
  if (state !== "running" || progress?.fraction == null) return null;
  return <span className="badge" title={progress.message ?? undefined}>{Math.round(progress.fraction * 100)} %</span>;
}

function Counts({ steps, parent }: { steps: Step[]; parent: string }) {
  const counts = countStates(steps.filter((step) => step.parent === parent).map((step) => step.state));
  return counts.map(({ state, count }) => `${count} ${word(state).toLowerCase()}`).join(", ");
}

function Axis({ scale }: { scale: Scale }) {
  return (
    <svg className="axis" aria-hidden="true">
      {scale.ticks.map((tick) => (
        <text key={tick.at} x={`${tick.at * 100}%`} y="12" textAnchor={tick.at > 0.94 ? "end" : tick.at === 0 ? "start" : "middle"}>
          {tick.label}
        </text>
      ))}
    </svg>
  );
}

const BAR_HEIGHT: Record<Bar["kind"], number> = { attempt: 12, waiting: 12, span: 4 };
/** A try that came to nothing is thin: its shape tells it apart, not only its colour. */
const FAILED_HEIGHT = 6;
const heightOf = ({ kind, state }: Bar): number => (kind === "attempt" && tone(state) === "bad" ? FAILED_HEIGHT : BAR_HEIGHT[kind]);
const STRIP_HEIGHT = 28;

function BarStrip({ bars }: { bars: Bar[] }) {
  const label = bars.map((bar) => bar.title).join("; ");
  return (
    <svg className="bars" role="img" aria-label={label || "Not begun"}>
      {bars.map((bar, index) => (
        <rect
          key={index}
          className={`bar ${bar.kind} tone-${tone(bar.state)}${bar.undo ? " undo" : ""}`}
          x={`${bar.from * 100}%`}
          width={`${(bar.to - bar.from) * 100}%`}
          y={(STRIP_HEIGHT - heightOf(bar)) / 2}
          height={heightOf(bar)}
          rx="2"
        >
          <title>{bar.title}</title>
        </rect>
      ))}
    </svg>
  );
}

/** Textures say what colour alone must not: hatched is waiting, dotted is undo. */
function Patterns() {
  return (
    <svg className="patterns" aria-hidden="true">
      <pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
        <rect width="5" height="5" className="hatch-ground" />
        <rect width="1.6" height="5" className="hatch-line" />
      </pattern>
      <pattern id="dots" width="5" height="5" patternUnits="userSpaceOnUse">
        <rect width="5" height="5" className="dots-ground" />
        <circle cx="2.5" cy="2.5" r="1.1" className="dots-dot" />
      </pattern>
    </svg>
  );
}

/** Arrows walk the rows, Enter chooses (a row is a link), Escape closes the panel. */
function moveFocus(event: KeyboardEvent<HTMLElement>, onSelect: Props["onSelect"]) {
  if (event.key === "Escape") return onSelect(undefined);
  const by = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
  if (!by) return;
  const links = [...event.currentTarget.querySelectorAll<HTMLElement>(".row-link")];
  const next = links[links.indexOf(document.activeElement as HTMLElement) + by];
  if (next) {
    event.preventDefault();
    next.focus();
  }
}
