//! Which targets belong together: by failure domain, and by route.
//!
//! Receives seats and routes once; answers which others a target stands among. Must never be here: their health.

use routing::TargetSeat;

/// Targets by domain and by route, as indices of their labels.
pub(super) struct Pools {
    domains: Vec<Vec<usize>>,
    routes: Vec<Vec<usize>>,
    /// For each target, its places in `domains` and in `routes`.
    of: Vec<(Vec<usize>, Vec<usize>)>,
}

impl Pools {
    pub(super) fn new(seats: &[TargetSeat], routes: Vec<Vec<usize>>) -> Self {
        let count = seats.iter().flat_map(|seat| &*seat.domains).max().map_or(0, |most| most + 1);
        let mut domains = vec![Vec::new(); count];
        let mut of = vec![(Vec::new(), Vec::new()); seats.len()];
        for (place, seat) in seats.iter().enumerate().filter(|(_, seat)| seat.target.is_some()) {
            for domain in &*seat.domains {
                domains[*domain].push(place);
                of[place].0.push(*domain);
            }
        }
        for (route, members) in routes.iter().enumerate() {
            for member in members {
                if let Some((_, routes)) = of.get_mut(*member) {
                    routes.push(route);
                }
            }
        }
        Self { domains, routes, of }
    }

    /// The members of each failure domain that a target lies in.
    pub(super) fn domains_of(&self, place: usize) -> impl Iterator<Item = &[usize]> {
        let places = self.of.get(place).map_or(&[][..], |(domains, _)| domains);
        places.iter().filter_map(|domain| self.domains.get(*domain)).map(Vec::as_slice)
    }

    /// The targets of each route that has a target.
    pub(super) fn routes_of(&self, place: usize) -> impl Iterator<Item = &[usize]> {
        let places = self.of.get(place).map_or(&[][..], |(_, routes)| routes);
        places.iter().filter_map(|route| self.routes.get(*route)).map(Vec::as_slice)
    }
}
