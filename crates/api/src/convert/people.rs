//! What waits for a person.

use consort_node::{OpenIncident, OpenQuestion, Placed};
use consort_types::Name;
use consort_wire as wire;

/// A question.
pub fn approval(namespace: &Name, question: Placed<OpenQuestion>) -> wire::Approval {
    let Placed { run, step, since, of } = question;
    let OpenQuestion { workflow, ask, show, form, to, until } = of;
    let (namespace, workflow) = (namespace.to_string(), workflow.to_string());
    wire::Approval { namespace, run, workflow, step, ask, show, form, to, since, until }
}

/// An incident, with what may be done about it.
pub fn incident(namespace: &Name, incident: Placed<OpenIncident>) -> wire::Incident {
    let Placed { run, step, since, of: OpenIncident { workflow, kind, error } } = incident;
    let act = |name: &str, effect: &str, rest: &str| wire::IncidentAction {
        name: name.to_owned(),
        effect: effect.to_owned(),
        command: format!("consort runs {name} {run} {}{rest}", quoted(&step)),
    };
    let (detail, actions) = if kind == "undo_parked" {
        let detail = "the undo of a step did not succeed; what the step did still stands".to_owned();
        let actions = vec![
            act("retry", "tries the undo again", ""),
            act("skip", "gives the undo up", ""),
            act("complete", "says that it was undone by hand", " --output null"),
        ];
        (detail, actions)
    } else {
        let detail = match kind.as_str() {
            "in_doubt" => "nobody knows whether the call happened; it is not sent again by itself",
            _ => "a step failed, and the workflow pauses on failure",
        };
        let detail = detail.to_owned();
        let cancel = wire::IncidentAction {
            name: "cancel".to_owned(),
            effect: "ends the run and undoes what was completed".to_owned(),
            command: format!("consort runs cancel {run}"),
        };
        let actions = vec![
            act("retry", "runs the step again", ""),
            act("skip", "leaves the step out; its output is null", ""),
            act("complete", "gives the step its output by hand", " --output JSON"),
            cancel,
        ];
        (detail, actions)
    };
    let (namespace, workflow) = (namespace.to_string(), workflow.to_string());
    wire::Incident { kind, namespace, run, workflow, step, since, error, detail, actions }
}

/// A key as a shell takes it: brackets are patterns there.
fn quoted(key: &str) -> String {
    if key.contains(['[', '*', '?', ' ', '$', '\'']) {
        format!("'{}'", key.replace('\'', r"'\''"))
    } else {
        key.to_owned()
    }
}
