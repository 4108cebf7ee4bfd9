import { useQuery } from "@tanstack/react-query";
import { useFeed } from "../api/feed";
import * as queries from "../api/queries";
import type { Service } from "../api/types";
import { Empty, ErrorMessage, Loading } from "../parts/Message";
import { useNamespace, useTitle } from "../parts/hooks";
import { printable, shortRevision } from "../model/text";
import { replicaWords, serviceTone } from "../model/service";

export function ServicesPage() {
  useTitle("Services");
  const { namespace, known } = useNamespace();
  useFeed({ namespace, events: "service" });
  const query = useQuery({ ...queries.services(namespace), enabled: known });
  const items = query.data?.items ?? [];
  return (
    <div className="page">
      <div className="page-head"><h1>Services</h1></div>
      {query.isError && <ErrorMessage error={query.error} />}
      {query.isPending && !query.isError && <Loading what="services" />}
      {query.isSuccess && !items.length && (
        <Empty title="No service is deployed">
          <p>Deploy the project file of a folder:</p>
          <pre className="command">consort apply</pre>
        </Empty>
      )}
      {items.length > 0 && <ServicesTable services={items} />}
    </div>
  );
}

function ServicesTable({ services }: { services: Service[] }) {
  return (
    <table className="list services">
      <thead>
        <tr>
          <th scope="col">Service</th>
          <th scope="col">State</th>
          <th scope="col">Replicas</th>
          <th scope="col">Revision</th>
          <th scope="col" className="figure">In flight</th>
          <th scope="col" className="figure">Queued</th>
          <th scope="col">Operations</th>
        </tr>
      </thead>
      <tbody>
        {services.map((service) => (
          <tr key={service.name} data-service={service.name}>
            <td className="name">
              {service.name}
              {service.detail && <p className="detail">{printable(service.detail)}</p>}
            </td>
            <td><span className={`service-state tone-${serviceTone(service)}`}><span className="dot" aria-hidden="true" />{service.state}</span></td>
            <td>{replicaWords(service)}</td>
            <td className="id">{service.revision ? shortRevision(service.revision) : "–"}</td>
            <td className="figure" data-label="in flight">{service.in_flight}</td>
            <td className="figure" data-label="queued">{service.queued}</td>
            <td className="quiet">{Object.keys(service.operations).join(", ")}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
