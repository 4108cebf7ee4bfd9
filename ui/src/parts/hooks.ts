import { useQuery } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { namespaces } from "../api/queries";

/** The present, ticking while something on the page moves. */
export function useNow(ticking: boolean, everyMs = 1_000): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    setNow(Date.now());
    if (!ticking) return;
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [ticking, everyMs]);
  return now;
}

/** The namespace of the address; with several and none chosen the first; with one none, as the API needs none. */
export function useNamespace(): { namespace: string | undefined; all: string[]; known: boolean } {
  const { namespace } = useSearch({ from: "__root__" });
  const query = useQuery(namespaces);
  const all = query.data?.items.map((item) => item.name) ?? [];
  const chosen = namespace ?? (all.length > 1 ? all[0] : undefined);
  return { namespace: chosen, all, known: query.isSuccess || query.isError };
}

export function useTitle(title: string) {
  useEffect(() => {
    document.title = `${title} · Consort`;
  }, [title]);
}
