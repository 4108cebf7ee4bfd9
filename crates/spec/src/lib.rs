//! The project file: text to checked, typed, immutable definitions.
