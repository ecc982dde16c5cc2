//! HTTP to clients: routes, body limits, handlers, responses, health, admin.
