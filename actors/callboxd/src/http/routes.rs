//! The map of the API.

use actix_web::web::{self, ServiceConfig};

use super::error::ApiError;
use super::{calls, commands, events, journal, metrics};

/// Lays all routes. A known path with another method is 405, an unknown path 404.
pub fn configure(service: &mut ServiceConfig) {
    service
        .service(
            web::resource("/v1/calls")
                .get(calls::list)
                .post(calls::place)
                .default_service(web::to(async || Err::<(), _>(ApiError::method_not_allowed("GET, POST")))),
        )
        .service(web::resource("/v1/calls/{id}").get(calls::show).default_service(web::to(only_get)))
        .service(web::resource("/v1/calls/{id}/why").get(calls::why).default_service(web::to(only_get)))
        .service(web::resource("/v1/calls/{id}/{command}").post(commands::give).default_service(web::to(
            async |request: actix_web::HttpRequest| {
                let known = request.match_info().get("command").is_some_and(commands::is_known);
                Err::<(), _>(if known {
                    ApiError::method_not_allowed("POST")
                } else {
                    ApiError::unknown_path()
                })
            },
        )))
        .service(web::resource("/v1/events").get(events::follow).default_service(web::to(only_get)))
        .service(
            web::resource("/v1/journal")
                .post(journal::answer)
                .default_service(web::to(async || Err::<(), _>(ApiError::method_not_allowed("POST")))),
        )
        .service(web::resource("/metrics").get(metrics::show).default_service(web::to(only_get)))
        .service(web::resource("/healthz").get(metrics::health).default_service(web::to(only_get)))
        .default_service(web::to(async || Err::<(), _>(ApiError::unknown_path())));
}

async fn only_get() -> Result<(), ApiError> {
    Err(ApiError::method_not_allowed("GET"))
}
