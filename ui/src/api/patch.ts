/** What one event of the feed changes in what the page already holds. Pure: no cache, no network. */

import type { RunFilter, Steps } from "./queries";
import type { LogLine, Page, Run, Service, Step } from "./types";

/** Log lines held per step; older ones leave first. */
export const MAX_LOG_LINES = 2_000;

/** The feed may leave out a large input or output: what is known stays. */
export function patchRun(known: Run | undefined, event: Run): Run {
  return { ...known, ...event, input: event.input ?? known?.input, output: event.output ?? known?.output };
}

/** The steps of one run, changed by a batch of events in their order; new ones come last. */
export function patchSteps(known: Steps, events: readonly Step[]): Steps {
  const items = known.items.slice();
  const places = new Map(items.map((step, place) => [step.key, place]));
  for (const event of events) {
    const place = places.get(event.key) ?? items.length;
    const before = items[place];
    items[place] = { ...before, ...event, input: event.input ?? before?.input, output: event.output ?? before?.output };
    places.set(event.key, place);
  }
  return { ...known, items };
}

/**
 * A run changes in place, leaves when the filter no longer fits, and a new one comes first.
 * A text search is the server's to answer, so nothing is added to a searched list.
 */
export function patchRunPages(pages: Page<Run>[], event: Run, filter: RunFilter): Page<Run>[] {
  const fits = (!filter.state || event.state === filter.state) && (!filter.workflow || event.workflow === filter.workflow);
  const known = pages.some((page) => page.items.some((run) => run.id === event.id));
  if (known) {
    return pages.map((page) => ({
      ...page,
      items: page.items.flatMap((run) => (run.id !== event.id ? [run] : fits ? [patchRun(run, event)] : [])),
    }));
  }
  const [first, ...rest] = pages;
  if (!first || !fits || filter.q) return pages;
  const newest = first.items[0];
  const isNewer = !newest || event.created_at >= newest.created_at;
  return isNewer ? [{ ...first, items: [event, ...first.items] }, ...rest] : pages;
}

export function patchServices(page: Page<Service>, event: Service): Page<Service> {
  const known = page.items.some((service) => service.name === event.name);
  const items = known
    ? page.items.map((service) => (service.name === event.name ? { ...service, ...event } : service))
    : [...page.items, event];
  return { ...page, items };
}

export function appendLog(page: Page<LogLine>, lines: readonly LogLine[]): Page<LogLine> {
  return { ...page, items: [...page.items, ...lines].slice(-MAX_LOG_LINES) };
}
