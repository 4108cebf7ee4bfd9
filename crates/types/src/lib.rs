//! The shared words: ids, names, values, durations, quantities, errors, states.
