import { createRootRoute, createRoute, createRouter } from "@tanstack/react-router";
import { RunPage } from "./run/RunPage";
import { PeoplePage } from "./people/PeoplePage";
import { RunsPage } from "./runs/RunsPage";
import { ServicesPage } from "./services/ServicesPage";
import { Shell } from "./parts/Shell";
import { NotFound } from "./parts/Message";
import { WorkflowPage } from "./workflows/WorkflowPage";
import { WorkflowsPage } from "./workflows/WorkflowsPage";

/** Keeps the named parameters of an address and drops empty ones. */
function only<K extends string>(...names: K[]) {
  return (search: Record<string, unknown>): { [P in K]?: string } => {
    const out: { [P in K]?: string } = {};
    for (const name of names) {
      const value = search[name];
      if (typeof value === "string" && value !== "") out[name] = value;
    }
    return out;
  };
}

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound, validateSearch: only("namespace") });

const runsRoute = createRoute({
  getParentRoute: () => root, path: "/", component: RunsPage, validateSearch: only("state", "workflow", "q"),
});
/** `open` holds the rows that stand in the other state than by default, joined by commas. */
const runRoute = createRoute({
  getParentRoute: () => root, path: "/runs/$id", component: RunPage, validateSearch: only("step", "tab", "open"),
});
const workflowsRoute = createRoute({ getParentRoute: () => root, path: "/workflows", component: WorkflowsPage });
const workflowRoute = createRoute({
  getParentRoute: () => root, path: "/workflows/$name", component: WorkflowPage, validateSearch: only("revision"),
});
const servicesRoute = createRoute({ getParentRoute: () => root, path: "/services", component: ServicesPage });
const peopleRoute = createRoute({ getParentRoute: () => root, path: "/people", component: PeoplePage });

export const router = createRouter({
  routeTree: root.addChildren([runsRoute, runRoute, workflowsRoute, workflowRoute, servicesRoute, peopleRoute]),
  scrollRestoration: true,
  // Plain `?state=failed`: every value is a text, so addresses can be written by hand.
  parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
  stringifySearch: (search) => {
    const params = new URLSearchParams();
    for (const [name, value] of Object.entries(search)) if (value) params.set(name, String(value));
    const text = params.toString();
    return text ? `?${text}` : "";
  },
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
