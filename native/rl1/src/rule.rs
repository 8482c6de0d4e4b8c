//! A packet's messages against the state before it, and against each other (rl1.md §7).

use crate::delivery::Delivery;
use crate::frame::{Fragment, Frame, Message, Mode, FRAGMENT_BYTES};
use crate::lane::{Held, Progress};
use crate::params::Limits;
use crate::reason::Reason;

pub fn check(
    frames: &[Frame<'_>],
    delivery: &Delivery,
    limits: &Limits,
    now_us: u64,
) -> Result<(), Reason> {
    let mut more = Held::default();
    let mut earlier: Vec<&Message<'_>> = Vec::new();
    for frame in frames {
        let Frame::Message(message) = frame else {
            continue;
        };
        if message.mode.is_reliable() {
            reliable(message, &earlier, delivery, limits, &mut more)?;
        } else if let Some(fragment) = message.fragment {
            let key = (message.mode, message.channel, message.id);
            agree(fragment, message, &earlier)?;
            let count = delivery.loose().partial_count(key, now_us);
            if count.is_some_and(|count| count != fragment.count) {
                return Err(Reason::FragmentMalformed);
            }
        }
        earlier.push(message);
    }
    let held = delivery.held();
    if held.bytes + more.bytes > limits.budget_bytes as usize
        || held.partials + more.partials > usize::from(limits.partials)
    {
        return Err(Reason::SenderRule);
    }
    Ok(())
}

fn reliable(
    message: &Message<'_>,
    earlier: &[&Message<'_>],
    delivery: &Delivery,
    limits: &Limits,
    more: &mut Held,
) -> Result<(), Reason> {
    let (ahead, progress) = delivery.progress(message);
    if i32::from(ahead) >= i32::from(limits.window) {
        return Err(Reason::SenderRule);
    }
    let Some(fragment) = message.fragment else {
        let in_pieces = same(message, earlier).any(|one| one.fragment.is_some());
        if in_pieces || matches!(progress, Progress::Partial { .. }) {
            return Err(Reason::FragmentMalformed);
        }
        let again = same(message, earlier).next().is_some();
        if message.mode == Mode::Ordered && ahead > 0 && progress != Progress::Complete && !again {
            more.bytes += message.data.len();
        }
        return Ok(());
    };
    agree(fragment, message, earlier)?;
    let (begun, has_last) = match progress {
        Progress::Complete => return Ok(()),
        Progress::Partial { count, .. } if count != fragment.count => {
            return Err(Reason::FragmentMalformed);
        }
        Progress::Partial { has_last, .. } => (true, has_last),
        Progress::Nothing => (same(message, earlier).next().is_some(), false),
    };
    if !begun {
        more.partials += 1;
        more.bytes += FRAGMENT_BYTES * usize::from(fragment.count - 1) + 1;
    }
    let again = same(message, earlier).any(|one| one.fragment == message.fragment);
    if fragment.is_last() && !has_last && !again {
        more.bytes += message.data.len() - 1;
    }
    Ok(())
}

/// Earlier frames of the same packet say nothing else about this message than this fragment does.
fn agree(
    fragment: Fragment,
    message: &Message<'_>,
    earlier: &[&Message<'_>],
) -> Result<(), Reason> {
    let contradicts = |one: &&Message<'_>| match one.fragment {
        Some(other) => other.count != fragment.count,
        None => one.mode.is_reliable(),
    };
    if same(message, earlier).any(|one| contradicts(&one)) {
        return Err(Reason::FragmentMalformed);
    }
    Ok(())
}

/// The frames before that are about the same message.
fn same<'a>(
    message: &'a Message<'_>,
    earlier: &'a [&'a Message<'a>],
) -> impl Iterator<Item = &'a Message<'a>> {
    earlier.iter().copied().filter(|one| {
        one.mode == message.mode && one.channel == message.channel && one.id == message.id
    })
}
