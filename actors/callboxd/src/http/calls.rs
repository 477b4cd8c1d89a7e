//! Calls: placing, listing, showing and explaining them.

use std::sync::Arc;

use actix_web::http::header::LOCATION;
use actix_web::web::{Bytes, Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use callbox::{CallId, PlaceCall};
use callbox_events::schema::StoredCommit;
use callbox_events::{verdict, view};
use serde_json::json;

use super::Context;
use super::body::{self, PlaceBody};
use super::error::ApiError;
use super::listing::{self, Filter};

/// `POST /v1/calls`.
pub async fn place(context: Data<Context>, payload: Payload) -> Result<HttpResponse, ApiError> {
    let body: PlaceBody = body::required(&read(payload).await?)?;
    body::one_line("to", &body.to)?;
    body::one_line("from", body.from.as_deref().unwrap_or_default())?;
    let place = PlaceCall {
        no_answer_ms: body.no_answer_ms,
        ..PlaceCall::new(body.from.unwrap_or_default(), body.to)
    };
    let call = context.engine()?.call(place).await?;
    Ok(HttpResponse::Created()
        .insert_header((LOCATION, format!("/v1/calls/{call}")))
        .json(json!({ "call_id": call })))
}

/// `GET /v1/calls?state=live|ended|all&limit=N`.
pub async fn list(context: Data<Context>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let filter = Filter::parse(request.query_string())?;
    if filter.only_live() {
        let calls = context.engine()?.calls().await;
        return Ok(HttpResponse::Ok().json(filter.of_live(calls)));
    }
    let body = listing::stream(Arc::clone(context.engine()?.journal()), filter)?;
    Ok(HttpResponse::Ok().content_type("application/json").streaming(body))
}

/// `GET /v1/calls/{id}`.
pub async fn show(context: Data<Context>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let record = record(&context, &request)?;
    let summary = view::summarise(record.iter().map(|stored| &stored.commit));
    summary.map(|summary| HttpResponse::Ok().json(summary)).ok_or_else(ApiError::unknown_call)
}

/// `GET /v1/calls/{id}/why`.
pub async fn why(context: Data<Context>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let record = record(&context, &request)?;
    let why = verdict::why(record.iter().map(|stored| &stored.commit));
    why.map(|why| HttpResponse::Ok().json(why)).ok_or_else(ApiError::unknown_call)
}

fn record(context: &Context, request: &HttpRequest) -> Result<Vec<StoredCommit>, ApiError> {
    Ok(context.engine()?.journal().read(call_of(request)?)?)
}

/// The call that the path names. What is no id names no call.
///
/// # Errors
/// 404.
pub fn call_of(request: &HttpRequest) -> Result<CallId, ApiError> {
    request.match_info().get("id").and_then(|id| id.parse().ok()).ok_or_else(ApiError::unknown_call)
}

/// The whole body, bounded.
///
/// # Errors
/// 413 if it is too large, 400 if it breaks off.
pub async fn read(payload: Payload) -> Result<Bytes, ApiError> {
    read_up_to(payload, body::LARGEST).await
}

/// The whole body if it has at most so many bytes.
///
/// # Errors
/// As [`read`].
pub async fn read_up_to(payload: Payload, limit: usize) -> Result<Bytes, ApiError> {
    match payload.to_bytes_limited(limit).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(ApiError::bad_request("incomplete_body", "the body breaks off")),
        Err(_) => Err(ApiError::too_large(limit)),
    }
}
