#include "relay/daemon/http_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "policy/ascii.h"
#include "policy/sha256.h"
#include "relay/daemon/suppression_check.h"
#include "relay/server/content_decoder.h"
#include "relay/server/envelope_rules.h"
#include "relay/server/timing_rules.h"
#include "relay/server/token.h"
#include "transport/tls/tls_server_context.h"

namespace waxwing {
namespace {

constexpr Milliseconds kHeadTimeout{60'000};
constexpr Milliseconds kLinger{5'000};
constexpr std::size_t kMaxKeyOctets = 128;
// Base64 and the escapes of JSON make a message longer.
constexpr std::uint64_t kJsonOverhead = 2;

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 503:
      return "Service Unavailable";
    default:
      return "Error";
  }
}

std::string accepted_json(const Acceptance& acceptance) {
  nlohmann::ordered_json body = {{"id", acceptance.id.str()}};
  if (acceptance.first.kind == FirstOutcome::Kind::Delivered)
    body["delivered"] = {{"mx", acceptance.first.mx_name}, {"reply", acceptance.first.remote_reply}};
  return body.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace);
}

bool is_json(std::string_view type) {
  const std::string_view bare = type.substr(0, type.find(';'));
  return ascii_iequal(bare.substr(0, bare.find(' ')), "application/json");
}

// The token of "Authorization: Bearer …".
std::optional<std::string_view> bearer_token(const std::optional<Secret>& authorization) {
  constexpr std::string_view kScheme = "Bearer ";
  if (!authorization || !ascii_istarts_with(authorization->reveal(), kScheme)) return std::nullopt;
  return authorization->reveal().substr(kScheme.size());
}

bool is_key(std::string_view key) {
  return !key.empty() && key.size() <= kMaxKeyOctets &&
         std::ranges::all_of(key, [](char c) { return c > ' ' && c <= '~'; });
}

}  // namespace

std::shared_ptr<HttpSession> HttpSession::start(const SessionServices& services, std::unique_ptr<Connection> connection,
                                                OnFinished on_finished) {
  std::shared_ptr<HttpSession> session(new HttpSession(services, std::move(connection), std::move(on_finished)));
  session->listen();
  return session;
}

HttpSession::HttpSession(const SessionServices& services, std::unique_ptr<Connection> connection,
                         OnFinished on_finished)
    : services_(services),
      loop_(services.intake.loop),
      connection_(std::move(connection)),
      arrival_(services, *connection_),
      on_finished_(std::move(on_finished)),
      timer_(loop_, [this] { end(); }) {}

void HttpSession::listen() {
  Connection::Callbacks callbacks;
  callbacks.on_bytes = [this](std::string_view octets) {
    if (arrival_.awaits_header()) return arrive(arrival_.on_bytes(octets));
    if (reader_.state() == HttpRequestReader::State::Body) body_received_ += octets.size();
    reader_.on_bytes(octets);
    work();
  };
  callbacks.on_secured = [this] { begin(); };
  callbacks.on_closed = [this](const std::optional<Error>& error) {
    // Who only says nothing more still reads.
    if (error || !answering_) return end();
    stopping_ = true;
    answering_->abandon();
  };
  connection_->set_callbacks(std::move(callbacks));
  arrive(arrival_.begin());
}

void HttpSession::arrive(ClientArrival::Step step) {
  switch (step) {
    case ClientArrival::Step::Header:
    case ClientArrival::Step::Handshake:
      return timer_.start(ClientArrival::time_limit(step));
    case ClientArrival::Step::Refused:
    case ClientArrival::Step::Invalid:
      connection_->close(Milliseconds(0));
      return end();
    case ClientArrival::Step::Ready:
      break;
  }
  begin();
  const Secret first_octets = arrival_.take_first_octets();
  if (first_octets.size() == 0) return;
  reader_.on_bytes(first_octets.reveal());
  work();
}

void HttpSession::begin() {
  begun_ = loop_.now();
  limit_waiting();
}

// A head must come in time, and a body at some least speed.
void HttpSession::limit_waiting() {
  if (busy_) return timer_.stop();
  Milliseconds allowed = kHeadTimeout;
  if (reader_.state() == HttpRequestReader::State::Body)
    allowed = services_.engine.content_grace + Milliseconds(body_received_ * 1'000 / kLeastContentOctetsPerSecond);
  timer_.start(std::max(Milliseconds(0), begun_ + std::min(allowed, services_.engine.content_timeout) - loop_.now()));
}

void HttpSession::work() {
  if (ended_ || busy_) return;
  using State = HttpRequestReader::State;
  if (reader_.state() == State::Headed) judge_head();
  if (ended_) return;
  if (reader_.state() == State::Invalid) return end_with(problem(reader_.failure_status(), reader_.failure()));
  if (reader_.state() == State::Complete) return take_message();
  limit_waiting();
}

// Who asks, and for what, is known before anything of the body is read.
void HttpSession::judge_head() {
  const HttpRequestHead& head = reader_.head();
  if (head.target != "/v1/messages") return end_with(problem(404, "messages are taken at /v1/messages"));
  if (head.method != "POST") return end_with(problem(405, "messages are taken by POST"));
  if (auto refused = recognise()) return end_with(*refused);
  const std::string* type = head.field("content-type");
  if (type == nullptr || !is_json(*type)) return end_with(problem(415, "the body must be application/json"));
  key_ = {};
  if (const std::string* key = head.field("idempotency-key")) {
    if (!is_key(*key))
      return end_with(problem(400, "Idempotency-Key has 1 to 128 printable ASCII characters and no space"));
    key_.key = *key;
  }
  if (auto full = services_.intake.storage_check()) return end_with(refusal(*full));
  if (auto over = services_.intake.limits.check(services_.intake.reader, *account_, loop_.wall_now()))
    return end_with(refusal(*over));
  const std::uint64_t limit = std::min(services_.engine.max_message_octets * kJsonOverhead, kMaxHttpRequestOctets);
  if (head.body_octets <= limit && !reserve(head.body_octets))
    return end_with(problem(503, "too many large requests are under way"));
  if (head.awaits_continue && head.body_octets <= limit) connection_->write("HTTP/1.1 100 Continue\r\n\r\n");
  begun_ = loop_.now();
  body_received_ = 0;
  reader_.read_body(limit);
}

bool HttpSession::reserve(std::uint64_t octets) {
  if (services_.http_octets + octets > kMaxHttpOctetsInMemory) return false;
  services_.http_octets += octets;
  reserved_octets_ = octets;
  return true;
}

void HttpSession::release() {
  services_.http_octets -= std::exchange(reserved_octets_, 0);
}

std::optional<HttpSession::Answer> HttpSession::recognise() {
  account_.reset();
  const std::optional<Secret> authorization = reader_.take_authorization();
  const auto token = bearer_token(authorization);
  if (!token) return problem(401, "Authorization: Bearer and a token is missing");
  auto account = services_.intake.reader.find_account_by_token(token_digest(*token));
  if (account) {
    account_ = std::move(*account);
    return std::nullopt;
  }
  if (account.error().kind != ErrorKind::NotFound) return problem(503, "the accounts cannot be read now");
  services_.intake.log.write(
      Severity::Warning, "login_failed",
      {{"listener", services_.config.name}, {"peer", arrival_.client().str()}, {"user", "(token)"}});
  return problem(401, "the token is not known");
}

void HttpSession::take_message() {
  const std::string body = reader_.take_body();
  if (!key_.key.empty()) {
    key_.digest = sha256(body);
    if (const auto known = earlier_answer()) return answer(*known);
  }
  auto injection = parse_injection(body);
  if (!injection) return answer(problem(400, injection.error().detail));
  take_in(std::move(*injection));
}

// The same request again gets the same answer, and no second message.
std::optional<HttpSession::Answer> HttpSession::earlier_answer() {
  const auto known = services_.intake.reader.find_submission(account_->name, key_.key);
  if (!known) return problem(503, "the queue cannot be read now");
  if (!*known) return std::nullopt;
  if ((*known)->digest != key_.digest) return problem(422, "this Idempotency-Key was used for another message");
  return Answer{200, nlohmann::ordered_json({{"id", (*known)->message.str()}, {"repeated", true}}).dump()};
}

void HttpSession::take_in(Injection injection) {
  if (auto refused = check_envelope(*account_, injection.envelope, services_.engine.max_recipients))
    return answer(refusal(*refused));
  if (auto refused = check_suppression(services_.intake.reader, *account_, injection.envelope, loop_.wall_now()))
    return answer(refusal(*refused));
  auto timing = resolve_timing(injection.timing, services_.engine.timing, loop_.wall_now());
  if (!timing) return answer(refusal(timing.error()));
  injection.envelope.timing = std::move(*timing);
  std::string content;
  ContentDecoder decoder({services_.engine.bare_line_ends, services_.engine.long_lines, ContentFraming::Chunks});
  decoder.decode(injection.content, content);
  decoder.finish(content);
  if (!decoder.flaw().empty()) return answer(refusal({550, "5.6.0", {std::string(decoder.flaw())}}));
  if (content.size() > services_.engine.max_message_octets)
    return answer(refusal({552, "5.3.4", {"the message is too large"}}));
  const TlsSession* tls = connection_->tls();
  const TlsSummary summary = tls == nullptr ? TlsSummary() : tls->summary();
  auto intake = std::make_shared<MessageIntake>(
      services_.intake, MessageIntake::Submission{std::move(injection.envelope), *account_, "http", arrival_.client(),
                                                  tls == nullptr ? "" : summary.version + " " + summary.cipher,
                                                  services_.config, "HTTP", true, key_});
  intake->feed(content);
  busy_ = true;
  limit_waiting();
  intake->waits_for_receiver() ? connection_->await_end() : connection_->pause_reading();
  answering_ = intake;
  intake->finish([self = shared_from_this()](const tl::expected<Acceptance, ServerReply>& done) {
    self->answering_.reset();
    if (self->ended_) return;
    self->busy_ = false;
    self->connection_->resume_reading();
    if (done)
      self->answer({200, accepted_json(*done)});
    else
      self->answer(refusal(done.error()));
  });
}

void HttpSession::answer(const Answer& answer) {
  release();
  const bool more = reader_.head().keep_alive && !stopping_;
  connection_->write(fmt::format(
      "HTTP/1.1 {} {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{}Cache-Control: no-store\r\n{}\r\n{}",
      answer.status, reason_phrase(answer.status), answer.body.size(),
      answer.status == 429 || answer.status == 503 ? "Retry-After: 60\r\n" : "", more ? "" : "Connection: close\r\n",
      answer.body));
  if (!more) {
    connection_->close(kLinger);
    return end();
  }
  account_.reset();
  reader_.next();
  begun_ = loop_.now();
  // Not deeper into the stack with each request that waits.
  loop_.post([self = shared_from_this()] { self->work(); });
}

// What follows a request that was not read to its end cannot be told from it.
void HttpSession::end_with(const Answer& last) {
  stopping_ = true;
  const std::string allow = last.status == 405   ? "Allow: POST\r\n"
                            : last.status == 401 ? "WWW-Authenticate: Bearer\r\n"
                                                 : "";
  connection_->write(
      fmt::format("HTTP/1.1 {} {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{}{}"
                  "Connection: close\r\n\r\n{}",
                  last.status, reason_phrase(last.status), last.body.size(), allow,
                  last.status == 429 || last.status == 503 ? "Retry-After: 60\r\n" : "", last.body));
  connection_->close(kLinger);
  end();
}

HttpSession::Answer HttpSession::refusal(const ServerReply& reply) {
  int status = reply.code < 500 ? 503 : 422;
  if (reply.code == 552) status = 413;
  if (reply.code < 500 && reply.enhanced_code == "4.7.1") status = 429;
  const nlohmann::ordered_json body = {
      {"error", {{"code", reply.code}, {"status", reply.enhanced_code}, {"text", reply.lines.front()}}}};
  return {status, body.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace)};
}

HttpSession::Answer HttpSession::problem(int status, std::string_view text) {
  const nlohmann::ordered_json body = {{"error", {{"text", std::string(text)}}}};
  return {status, body.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace)};
}

void HttpSession::shut_down() {
  if (ended_) return;
  stopping_ = true;
  if (busy_ || reader_.state() == HttpRequestReader::State::Body) return;
  connection_->close(kLinger);
  end();
}

void HttpSession::end() {
  if (std::exchange(ended_, true)) return;
  timer_.stop();
  release();
  if (answering_) answering_->abandon();
  arrival_.leave();
  // Not inside the callback of a member that would be destroyed with us.
  loop_.post([self = shared_from_this()] { self->on_finished_(*self); });
}

}  // namespace waxwing
