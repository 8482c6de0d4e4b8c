//! Every target has a planted fault, and notices it: from its corpus, within a bound of mutants.

mod support;

use std::panic;

use ggscale_fuzz::mutate::{mutant, Prng};
use ggscale_fuzz::{plant, Target, TARGETS};
use support::corpus;

const SEED: u64 = 1;
const MUTANTS_MAX: usize = 2_000_000;

/// The number of the mutant that failed.
fn first_finding(target: &Target) -> Option<usize> {
    let inputs: Vec<_> = corpus(target.name)
        .into_iter()
        .map(|(_, input)| input)
        .collect();
    let mut prng = Prng::new(SEED);
    plant::set(true);
    let found = (0..MUTANTS_MAX).find(|_| {
        let input = mutant(&inputs, target.max_length, &mut prng);
        panic::catch_unwind(|| (target.run)(&input)).is_err()
    });
    plant::set(false);
    found
}

#[test]
fn every_target_notices_its_planted_fault() {
    panic::set_hook(Box::new(|_| {}));
    let blind: Vec<_> = TARGETS
        .iter()
        .filter(|target| first_finding(target).is_none())
        .map(|target| format!("{}: {}", target.name, target.planted))
        .collect();
    let _ = panic::take_hook();
    assert!(blind.is_empty(), "not noticed: {blind:?}");
}
