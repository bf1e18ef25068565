//! The story, scene by scene. A scene switches faults and runs pipelines; everything it claims it has read from a
//! public API afterwards.

mod agreement;
mod gate;
mod healthy;
mod kill;
pub(crate) mod messages;
mod outage;
mod overload;
mod rollout;

use super::screen::Observed;
use super::world::World;

/// A scene's name, title and play.
pub(crate) struct Scene {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    /// Scenes that must have been played for this one to make sense.
    pub(crate) needs: &'static [&'static str],
    /// Part of the short run.
    pub(crate) smoke: bool,
    pub(crate) play: for<'a> fn(&'a mut World) -> Play<'a>,
}

pub(crate) type Play<'a> = std::pin::Pin<Box<dyn Future<Output = anyhow::Result<Observed>> + 'a>>;

/// The story in its order.
pub(crate) const STORY: [Scene; 8] = [
    Scene {
        name: "healthy",
        title: "Healthy: one order, one trace, from the gateway to the last consumer",
        needs: &[],
        smoke: true,
        play: |w| Box::pin(healthy::play(w)),
    },
    Scene {
        name: "outage",
        title: "The outage: products v2 drops a path, rolled out with the gate switched off",
        needs: &[],
        smoke: false,
        play: |w| Box::pin(outage::play(w)),
    },
    Scene {
        name: "agreement",
        title: "The agreement: orders proposes its contract, products accepts it",
        needs: &[],
        smoke: true,
        play: |w| Box::pin(agreement::play(w)),
    },
    Scene {
        name: "gate",
        title: "The same v2 again, gate on",
        needs: &["agreement"],
        smoke: true,
        play: |w| Box::pin(gate::play(w)),
    },
    Scene {
        name: "rollout",
        title: "v3 keeps both paths and goes out under load; a version that drops productName does not",
        needs: &["agreement"],
        smoke: false,
        play: |w| Box::pin(rollout::play(w)),
    },
    Scene {
        name: "overload",
        title: "Payments at its limit: orders are accepted, the queue rises and drains",
        needs: &[],
        smoke: false,
        play: |w| Box::pin(overload::play(w)),
    },
    Scene {
        name: "messages",
        title: "Lost, late, dead-lettered, duplicated: each told apart",
        needs: &[],
        smoke: false,
        play: |w| Box::pin(messages::play(w)),
    },
    Scene {
        name: "kill",
        title: "tracepact is killed under load and started again",
        needs: &[],
        smoke: true,
        play: |w| Box::pin(kill::play(w)),
    },
];
