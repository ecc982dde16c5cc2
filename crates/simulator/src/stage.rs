//! Which behaviour the next call gets.
//!
//! Receives behaviours from the control side; hands each call its `Cue`. The script goes first, then the model's own
//! behaviour, then the default; each stands alone, nothing is merged. Never here: how a behaviour is carried out.

use crate::behaviour::Behaviour;
use crate::fault::Fault;
use crate::limits::Limits;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The most behaviours a script may hold.
pub const MAX_SCRIPT: usize = 10_000;
/// The most models with a behaviour of their own.
pub const MAX_MODELS: usize = 1_000;

/// The simulator holds as much as it may; nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// The script would be longer than [`MAX_SCRIPT`].
    Script,
    /// There would be more than [`MAX_MODELS`] models.
    Models,
}

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Script => write!(f, "a script holds at most {MAX_SCRIPT} behaviours"),
            Self::Models => write!(f, "at most {MAX_MODELS} models have a behaviour of their own"),
        }
    }
}

impl std::error::Error for Full {}

/// How one call is to go.
pub(crate) struct Cue {
    pub(crate) behaviour: Arc<Behaviour>,
    /// What it is held to, where the behaviour has limits.
    pub(crate) limits: Arc<Limits>,
    goes_wrong: bool,
}

impl Cue {
    /// The fault, if it happens this time.
    pub(crate) fn fault(&self) -> Option<&Fault> {
        self.behaviour.fault.as_ref().filter(|_| self.goes_wrong)
    }
}

pub(crate) struct Stage {
    first: Arc<Behaviour>,
    seed: u64,
    acts: Mutex<Acts>,
}

struct Acts {
    default: Arc<Behaviour>,
    /// Shared by all calls but those of models with a behaviour of their own.
    limits: Arc<Limits>,
    models: HashMap<String, Own>,
    script: VecDeque<Arc<Behaviour>>,
    chance: fastrand::Rng,
}

/// A model's own behaviour, and what its calls are held to.
struct Own {
    behaviour: Arc<Behaviour>,
    limits: Arc<Limits>,
}

impl Stage {
    pub(crate) fn new(behaviour: Behaviour, seed: u64) -> Self {
        let first = Arc::new(behaviour);
        let acts = Mutex::new(Acts::new(Arc::clone(&first), seed));
        Self { first, seed, acts }
    }

    pub(crate) fn cue(&self, model: &str, own: Option<Behaviour>) -> Cue {
        let mut acts = self.acts();
        let (behaviour, limits) = match own {
            Some(own) => (Arc::new(own), Arc::clone(&acts.limits)),
            None => acts.next(model),
        };
        let goes_wrong = behaviour.share.is_none_or(|share| acts.chance.f64() < share);
        Cue { behaviour, limits, goes_wrong }
    }

    pub(crate) fn set_default(&self, behaviour: Behaviour) {
        self.acts().default = Arc::new(behaviour);
    }

    pub(crate) fn set_model(&self, model: &str, behaviour: Behaviour) -> Result<(), Full> {
        let mut acts = self.acts();
        if acts.models.len() >= MAX_MODELS && !acts.models.contains_key(model) {
            return Err(Full::Models);
        }
        let behaviour = Arc::new(behaviour);
        match acts.models.get_mut(model) {
            Some(own) => own.behaviour = behaviour,
            None => {
                acts.models.insert(model.to_owned(), Own { behaviour, limits: Arc::default() });
            }
        }
        Ok(())
    }

    /// Adds to the script and tells its length.
    pub(crate) fn extend_script(&self, behaviours: Vec<Behaviour>) -> Result<usize, Full> {
        let mut acts = self.acts();
        if acts.script.len() + behaviours.len() > MAX_SCRIPT {
            return Err(Full::Script);
        }
        acts.script.extend(behaviours.into_iter().map(Arc::new));
        Ok(acts.script.len())
    }

    pub(crate) fn reset(&self) {
        *self.acts() = Acts::new(Arc::clone(&self.first), self.seed);
    }

    fn acts(&self) -> MutexGuard<'_, Acts> {
        self.acts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Acts {
    fn new(default: Arc<Behaviour>, seed: u64) -> Self {
        let chance = fastrand::Rng::with_seed(seed);
        Self { default, limits: Arc::default(), models: HashMap::new(), script: VecDeque::new(), chance }
    }

    fn next(&mut self, model: &str) -> (Arc<Behaviour>, Arc<Limits>) {
        match (self.script.pop_front(), self.models.get(model)) {
            (Some(scripted), _) => (scripted, Arc::clone(&self.limits)),
            (None, Some(own)) => (Arc::clone(&own.behaviour), Arc::clone(&own.limits)),
            (None, None) => (Arc::clone(&self.default), Arc::clone(&self.limits)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(stage: &Stage, model: &str) -> Option<u32> {
        stage.cue(model, None).behaviour.tokens
    }

    #[test]
    fn the_script_goes_before_the_model_before_the_default() {
        let stage = Stage::new(Behaviour::tokens(1), 0);
        stage.set_model("m", Behaviour::tokens(2)).expect("room");
        stage.extend_script(vec![Behaviour::tokens(3)]).expect("room");
        assert_eq!(stage.cue("m", Some(Behaviour::tokens(4))).behaviour.tokens, Some(4));
        assert_eq!(["m", "m", "other"].map(|model| tokens(&stage, model)), [Some(3), Some(2), Some(1)]);
        stage.set_default(Behaviour::tokens(5));
        assert_eq!(tokens(&stage, "other"), Some(5));
        stage.reset();
        assert_eq!(["m", "other"].map(|model| tokens(&stage, model)), [Some(1), Some(1)]);
    }

    #[test]
    fn limits_outlive_a_change_of_behaviour_but_no_reset() {
        let stage = Stage::new(Behaviour::default(), 0);
        let limits = |model| stage.cue(model, None).limits;
        stage.set_model("m", Behaviour::default()).expect("room");
        let (common, own) = (limits("other"), limits("m"));
        assert!(!Arc::ptr_eq(&common, &own));
        stage.set_default(Behaviour::tokens(1));
        stage.set_model("m", Behaviour::tokens(1)).expect("room");
        assert!(Arc::ptr_eq(&common, &limits("other")) && Arc::ptr_eq(&own, &limits("m")));
        stage.extend_script(vec![Behaviour::default()]).expect("room");
        assert!(Arc::ptr_eq(&common, &limits("m")));
        assert!(Arc::ptr_eq(&common, &stage.cue("m", Some(Behaviour::default())).limits));
        stage.reset();
        assert!(!Arc::ptr_eq(&common, &limits("other")));
    }

    #[test]
    fn script_and_models_are_bounded() {
        let stage = Stage::new(Behaviour::default(), 0);
        assert_eq!(stage.extend_script(vec![Behaviour::default(); MAX_SCRIPT]), Ok(MAX_SCRIPT));
        assert_eq!(stage.extend_script(vec![Behaviour::default()]), Err(Full::Script));
        for model in 0..MAX_MODELS {
            stage.set_model(&model.to_string(), Behaviour::default()).expect("room");
        }
        assert_eq!(stage.set_model("more", Behaviour::default()), Err(Full::Models));
        assert_eq!(stage.set_model("0", Behaviour::default()), Ok(()));
    }

    #[test]
    fn a_share_of_calls_goes_wrong_and_the_seed_decides_which() {
        let wrong = |seed| {
            let behaviour = Behaviour { share: Some(0.3), ..Behaviour::fault(Fault::Hang) };
            let stage = Stage::new(behaviour, seed);
            (0..1000).map(|_| stage.cue("m", None).fault().is_some()).collect::<Vec<_>>()
        };
        let count = wrong(7).iter().filter(|wrong| **wrong).count();
        assert!((250..350).contains(&count), "{count}");
        assert_eq!(wrong(7), wrong(7));
        assert_ne!(wrong(7), wrong(8));
    }
}
