//! Every target over its committed corpus, and over mutants of it, without libFuzzer.

mod support;

use std::panic::catch_unwind;

use ggscale_fuzz::mutate::{mutant, Prng};
use ggscale_fuzz::TARGETS;
use support::corpus;

/// Fixed, so that a failure here is one for everybody.
const SEED: u64 = 8;
const MUTANTS: usize = 20_000;

#[test]
fn every_corpus_is_replayed_without_a_finding() {
    for target in TARGETS {
        let inputs = corpus(target.name);
        assert!(!inputs.is_empty(), "{} has no corpus", target.name);
        for (file, input) in inputs {
            assert!(input.len() <= target.max_length, "{}/{file}", target.name);
            let run = catch_unwind(|| (target.run)(&input));
            assert!(run.is_ok(), "corpus/{}/{file}", target.name);
        }
    }
}

#[test]
fn mutants_of_every_corpus_bring_no_finding() {
    for target in TARGETS {
        let inputs: Vec<_> = corpus(target.name)
            .into_iter()
            .map(|(_, input)| input)
            .collect();
        let mut prng = Prng::new(SEED);
        for _ in 0..MUTANTS {
            let input = mutant(&inputs, target.max_length, &mut prng);
            let run = catch_unwind(|| (target.run)(&input));
            assert!(run.is_ok(), "{}: {input:02x?}", target.name);
        }
    }
}
