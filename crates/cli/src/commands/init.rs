//! `consort init`: write a small project that runs at once.

use crate::{
    context::Context,
    exit::{Exit, Outcome},
    failure::Failure,
};
use clap::Args;
use std::{fs, io::Write, path::Path};

/// A project that is written file by file.
struct Template {
    name: &'static str,
    files: &'static [(&'static str, &'static str)],
    next: &'static str,
}

const HELLO: Template = Template {
    name: "hello",
    files: &[
        ("consort.yaml", include_str!("../../templates/hello/consort.yaml")),
        ("services/greeter/greeter.py", include_str!("../../templates/hello/services/greeter/greeter.py")),
    ],
    next: "next:
  consort dev                       run it here (Ctrl-C stops it), and in another terminal:
  consort run hello -i name=Ann     start the workflow and see its output",
};

/// Every template, the one without a name first.
const TEMPLATES: &[Template] = &[HELLO];

const EXAMPLES: &str = "\
Templates: hello (the default): one service in Python, without packages, and a workflow of three steps.
Nothing is overwritten.";

/// The arguments.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Init {
    /// What to write
    template: Option<String>,
}

impl Init {
    /// Runs the command.
    ///
    /// # Errors
    /// When there is no such template, a file is there already, or the folder cannot be written.
    pub fn run(&self, context: &Context) -> Outcome {
        let template = find(self.template.as_deref())?;
        write(template, Path::new("."))?;
        for (path, _) in template.files {
            context.screen.line(&format!("wrote {path}"))?;
        }
        context.screen.line(&format!("\n{}", template.next))?;
        Ok(Exit::Done)
    }
}

fn find(name: Option<&str>) -> Result<&'static Template, Failure> {
    let Some(name) = name else { return Ok(&TEMPLATES[0]) };
    TEMPLATES.iter().find(|template| template.name == name).ok_or_else(|| {
        let names: Vec<_> = TEMPLATES.iter().map(|template| template.name).collect();
        Failure::usage(format!("there is no template {name:?}"))
            .hint(format!("templates: {}", names.join(", ")))
    })
}

fn write(template: &Template, folder: &Path) -> Result<(), Failure> {
    let there: Vec<_> =
        template.files.iter().map(|(path, _)| *path).filter(|path| folder.join(path).exists()).collect();
    if !there.is_empty() {
        let message = format!("{} is already here, and nothing is overwritten", there.join(", "));
        return Err(Failure::usage(message).hint("use an empty folder"));
    }
    for (path, text) in template.files {
        let path = folder.join(path);
        write_new(&path, text)
            .map_err(|error| Failure::usage(format!("{} cannot be written: {error}", path.display())))?;
    }
    Ok(())
}

fn write_new(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    // Fails when somebody was faster: nothing is overwritten.
    fs::File::create_new(path)?.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_is_written_once_and_never_over_another() {
        let folder = tempfile::tempdir().unwrap();
        write(&HELLO, folder.path()).unwrap();
        for (path, text) in HELLO.files {
            assert_eq!(fs::read_to_string(folder.path().join(path)).unwrap(), *text);
        }
        fs::write(folder.path().join("consort.yaml"), "name: mine").unwrap();
        let failure = write(&HELLO, folder.path()).unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
        assert!(
            failure.message.starts_with("consort.yaml, services/greeter/greeter.py is already here"),
            "{failure:?}"
        );
        assert_eq!(fs::read_to_string(folder.path().join("consort.yaml")).unwrap(), "name: mine");
    }

    #[test]
    fn templates_are_found_by_name() {
        assert_eq!(find(None).ok().unwrap().name, "hello");
        assert_eq!(find(Some("hello")).ok().unwrap().name, "hello");
        assert_eq!(find(Some("helo")).err().unwrap().hint.unwrap(), "templates: hello");
    }
}
