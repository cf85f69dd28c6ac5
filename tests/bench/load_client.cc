#include "tests/bench/load_client.h"

#include <fmt/format.h>

#include <utility>

#include "policy/base64.h"

namespace waxwing::bench {
namespace {

constexpr Milliseconds kLinger{1'000};

/// A load generator measures; it does not judge certificates.
TlsRequirement any_certificate() {
  TlsRequirement requirement;
  requirement.method = TlsRequirement::Method::Opportunistic;
  return requirement;
}

}  // namespace

LoadClient::LoadClient(EventLoop& loop, TlsClientContext& tls, const LoadOptions& options, std::size_t number,
                       Ledger& ledger, LoadTotals& totals, std::function<void()> on_done)
    : loop_(loop),
      tls_(tls),
      options_(options),
      number_(number),
      ledger_(ledger),
      totals_(totals),
      on_done_(std::move(on_done)) {}

void LoadClient::start() {
  connection_ = Connection::connect(loop_, options_.server, std::nullopt);
  connection_->set_callbacks(
      {.on_connected =
           [this] {
             if (options_.tls == LoadTls::Implicit) secure();
           },
       .on_bytes = [this](std::string_view octets) { read(octets); },
       .on_secured =
           [this] {
             secured_ = true;
             if (options_.tls == LoadTls::StartTls) say_hello();
           },
       .on_closed = [this](const std::optional<Error>& error) { give_up(error ? error->detail : "the server closed"); },
       .on_drained = {}});
}

void LoadClient::secure() {
  connection_->start_tls(tls_.start(any_certificate(), options_.server.str(), {}));
}

void LoadClient::read(std::string_view octets) {
  const auto readable = replies_.feed(octets);
  while (const auto reply = replies_.next()) {
    (this->*step_)(*reply);
    if (done_) return;
  }
  if (!readable) give_up(readable.error().detail);
}

void LoadClient::send(std::string_view line, Step then) {
  step_ = then;
  connection_->write(fmt::format("{}\r\n", line));
}

void LoadClient::say_hello() {
  send("EHLO load.example", &LoadClient::on_hello);
}

void LoadClient::on_greeting(const SmtpReply& reply) {
  if (reply.code != 220) return give_up(reply.str());
  say_hello();
}

void LoadClient::on_hello(const SmtpReply& reply) {
  if (reply.code != 250) return give_up(reply.str());
  if (options_.tls == LoadTls::StartTls && !secured_) return send("STARTTLS", &LoadClient::on_starttls);
  if (options_.user.empty()) return next_message();
  const std::string credentials = std::string(1, '\0') + options_.user + std::string(1, '\0') + options_.password;
  send("AUTH PLAIN " + encode_base64(credentials), &LoadClient::on_auth);
}

void LoadClient::on_starttls(const SmtpReply& reply) {
  if (reply.code != 220) return give_up(reply.str());
  secure();
}

void LoadClient::on_auth(const SmtpReply& reply) {
  if (reply.code != 235) return give_up(reply.str());
  next_message();
}

void LoadClient::next_message() {
  if (sent_ == options_.messages_per_connection) return send("QUIT", &LoadClient::on_quit);
  message_ = {.from = options_.from,
              .to = options_.to[(number_ + sent_) % options_.to.size()],
              .message_id = fmt::format("{}.{}.{}@load.example", options_.id_prefix, number_, sent_),
              .date = date_};
  ++sent_;
  send(fmt::format("MAIL FROM:<{}>", message_.from), &LoadClient::on_mail);
}

void LoadClient::on_mail(const SmtpReply& reply) {
  if (reply.code != 250) return on_end_of_data(reply);
  send(fmt::format("RCPT TO:<{}>", message_.to), &LoadClient::on_rcpt);
}

void LoadClient::on_rcpt(const SmtpReply& reply) {
  if (reply.code != 250) return on_end_of_data(reply);
  send("DATA", &LoadClient::on_data);
}

void LoadClient::on_data(const SmtpReply& reply) {
  if (reply.code != 354) return on_end_of_data(reply);
  const std::size_t size = options_.sizes_octets[(number_ + sent_) % options_.sizes_octets.size()];
  const std::string data = make_data(message_, size);
  step_ = &LoadClient::on_end_of_data;
  connection_->write(data);
  final_dot_ = std::chrono::steady_clock::now();
}

/// Also of any earlier reply that refuses the message.
void LoadClient::on_end_of_data(const SmtpReply& reply) {
  if (reply.code == 250 && final_dot_) {
    const std::chrono::duration<double, std::milli> waited = std::chrono::steady_clock::now() - *final_dot_;
    totals_.end_of_data_ms.push_back(waited.count());
    ++totals_.acknowledged;
    ledger_.add(message_.message_id);
    final_dot_.reset();
    return next_message();
  }
  ++totals_.refused;
  if (totals_.first_failure.empty()) totals_.first_failure = reply.str();
  final_dot_.reset();
  send("RSET", &LoadClient::on_reset);
}

void LoadClient::on_reset(const SmtpReply& reply) {
  if (reply.code != 250) return give_up(reply.str());
  next_message();
}

void LoadClient::on_quit(const SmtpReply&) {
  finish();
}

void LoadClient::give_up(const std::string& reason) {
  if (done_) return;
  if (final_dot_) ++totals_.unknown;
  ++totals_.failed_connections;
  if (totals_.first_failure.empty()) totals_.first_failure = reason;
  finish();
}

void LoadClient::finish() {
  done_ = true;
  connection_->close(kLinger);
  on_done_();
}

}  // namespace waxwing::bench
