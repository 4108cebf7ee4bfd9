//! Parts of the language that the checker knows and this build cannot run yet. The list shrinks.

use crate::{
    codes,
    definition::Project,
    diagnostics::{Problem, Severity},
};

macro_rules! features {
    ($($(#[$doc:meta])* $name:ident = $key:literal),* $(,)?) => {
        /// A part of the language that not every build can run.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Feature { $($(#[$doc])* $name),* }

        impl Feature {
            /// The key of the file that asks for it.
            pub const fn key(self) -> &'static str {
                match self { $(Self::$name => $key),* }
            }
        }
    };
}

features! {
    /// A container as a service.
    Image = "image",
    /// Canary rollouts.
    Canary = "canary",
    /// `scale.wait`.
    ScaleWait = "wait",
    /// Steps that the run does not wait for.
    Background = "background",
    /// Runs that start by themselves.
    Triggers = "triggers",
    /// Rules that tell people.
    Alerts = "alerts",
    /// Channels that send mail.
    Email = "email",
}

/// What this build cannot run yet.
const NOT_YET: &[Feature] = &[
    Feature::Image,
    Feature::Canary,
    Feature::ScaleWait,
    Feature::Background,
    Feature::Triggers,
    Feature::Alerts,
    Feature::Email,
];

/// A place where a project asks for a [`Feature`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedFeature {
    /// Which.
    pub feature: Feature,
    /// The file, relative to the root.
    pub file: String,
    /// The line of the key, from 1.
    pub line: u32,
    /// Its column in characters, from 1.
    pub column: u32,
    /// Its length in characters.
    pub length: u32,
}

/// What of a project this build cannot run yet, at the place of the key. Empty: all of it runs.
pub fn unsupported(project: &Project) -> Vec<Problem> {
    let used = project.used_features.iter().filter(|used| NOT_YET.contains(&used.feature));
    let problems = used.map(|used| Problem {
        file: used.file.clone(),
        line: used.line,
        column: used.column,
        length: used.length,
        severity: Severity::Error,
        code: codes::E_NOT_YET,
        message: format!(
            "`{}` is part of the language, and this version cannot run it yet",
            used.feature.key()
        ),
        hint: None,
    });
    let mut problems: Vec<Problem> = problems.collect();
    problems.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
    problems
}
