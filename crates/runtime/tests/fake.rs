//! The fake is a real runtime: it passes the suite.

use consort_runtime::{
    Command, FakeBehaviour, FakeRuntime, ReplicaId, ReplicaSpec,
    conformance::{self, Case},
};
use consort_types::{Name, NameKind};
use std::{net::SocketAddr, path::PathBuf, time::Duration};

#[tokio::test]
async fn the_fake_conforms() {
    let (fake, seen) = FakeRuntime::new();
    let nobody = SocketAddr::from(([127, 0, 0, 1], 9));
    conformance::run(&*fake, seen, |case, number| {
        let (service, behaviour) = match case {
            Case::Serves => ("serves", FakeBehaviour::Serve(nobody)),
            Case::Silent => ("silent", FakeBehaviour::Silent),
            Case::NotStarted => ("missing", FakeBehaviour::NotStarted("no such program".into())),
            Case::ExitsWith3 => ("exits", FakeBehaviour::Exit(3)),
            Case::Stubborn => ("stubborn", FakeBehaviour::Stubborn(nobody)),
        };
        let service = Name::new(service, NameKind::Kebab).unwrap();
        fake.behave(&service, behaviour);
        ReplicaSpec {
            replica: ReplicaId::new(&service, number),
            service,
            revision: "r1".into(),
            dir: PathBuf::from("/"),
            command: Command::Argv(vec!["serve".into()]),
            environment: vec![],
            secrets: vec![],
            data_dir: PathBuf::from("/"),
            server_url: String::new(),
            health: None,
            stop_grace: Duration::from_millis(200),
        }
    })
    .await;
}
