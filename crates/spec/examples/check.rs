//! `cargo run --example check -- FOLDER`: what `consort check` finds, without the command line around it.

use consort_spec::{Colour, Folder, check, render};
use std::{error::Error, path::Path};

#[allow(clippy::print_stdout, reason = "an example talks to a terminal")]
fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| ".".to_owned());
    let checked = check(&Folder::new(Path::new(&folder))?);
    for problem in &checked.problems {
        println!("{}", render(problem, &checked.files, Colour::Never));
    }
    if let Some(project) = &checked.project {
        for problem in consort_spec::unsupported(project) {
            println!("{}", render(&problem, &checked.files, Colour::Never));
        }
        println!(
            "{}: {} services, {} workflows",
            project.name,
            project.services.len(),
            project.workflows.len()
        );
    }
    Ok(())
}
