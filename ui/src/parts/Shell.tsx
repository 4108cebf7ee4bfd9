import { useQuery } from "@tanstack/react-query";
import { Link, Outlet, useLocation, useNavigate } from "@tanstack/react-router";
import { useFeedStatus, type FeedStatus } from "../api/feed";
import * as queries from "../api/queries";
import { useNamespace } from "./hooks";

export function Shell() {
  return (
    <>
      <a className="skip" href="#main">Skip to the content</a>
      <header className="top">
        <Link to="/" className="brand" search={{}}>
          <img src="/favicon.svg" alt="" width="22" height="22" />
          Consort
        </Link>
        <nav aria-label="Main">
          <RunsLink />
          <Link to="/workflows">Workflows</Link>
          <Link to="/services">Services</Link>
          <PeopleLink />
        </nav>
        <NamespaceSwitch />
        <Connection />
      </header>
      <main id="main" tabIndex={-1}>
        <Outlet />
      </main>
    </>
  );
}

/** A run belongs to the runs, though their list lives at the root. */
function RunsLink() {
  const { pathname } = useLocation();
  return <Link to="/" activeOptions={{ exact: true, includeSearch: false }} className={pathname.startsWith("/runs/") ? "active" : ""}>Runs</Link>;
}

/** Says how much waits for a person, wherever one is. */
function PeopleLink() {
  const { namespace, known } = useNamespace();
  const approvals = useQuery({ ...queries.approvals(namespace), enabled: known });
  const incidents = useQuery({ ...queries.incidents(namespace), enabled: known });
  const count = (approvals.data?.items.length ?? 0) + (incidents.data?.items.length ?? 0);
  const more = approvals.data?.next_cursor || incidents.data?.next_cursor ? "+" : "";
  return <Link to="/people">Waiting{count > 0 && <span className="badge">{count}{more}</span>}</Link>;
}

function NamespaceSwitch() {
  const { namespace, all } = useNamespace();
  const navigate = useNavigate();
  if (all.length < 2) return null;
  return (
    <label className="namespace">
      <span className="unseen">Namespace</span>
      <select value={namespace} onChange={(event) => navigate({ to: ".", search: { namespace: event.target.value } })}>
        {all.map((name) => <option key={name}>{name}</option>)}
      </select>
    </label>
  );
}

const CONNECTION: Record<FeedStatus, string> = {
  off: "", connecting: "Connecting", live: "Live", lost: "No connection, trying again",
};

function Connection() {
  const status = useFeedStatus();
  return <p className={`connection ${status}`} role="status">{CONNECTION[status]}</p>;
}
