#include "transport/delivery/https_exchange.h"

#include <fmt/format.h>

#include <utility>

namespace waxwing {
namespace {

constexpr std::size_t kMaxNameOctets = 253;

void append_addresses(const Answer* answer, bool allow_non_global, std::vector<IpAddress>& addresses) {
  if (answer == nullptr || !answer->usable()) return;
  for (const RecordData& data : answer->records) {
    const auto* address = std::get_if<IpAddress>(&data);
    if (address != nullptr && (allow_non_global || address->is_global())) addresses.push_back(*address);
  }
}

}  // namespace

HttpsExchange::HttpsExchange(EventLoop& loop, Resolver& resolver, TlsClientContext& tls, Options options,
                             Request request, OnDone on_done)
    : loop_(loop),
      resolver_(resolver),
      tls_(tls),
      options_(std::move(options)),
      request_(std::move(request)),
      on_done_(std::move(on_done)),
      deadline_(
          loop,
          [this] { finish(fail(ErrorKind::Unavailable, fmt::format("{} took longer than a minute", request_.host))); }),
      reader_(request_.max_response_octets) {}

void HttpsExchange::start() {
  if (request_.host.size() > kMaxNameOctets) {
    return deadline_.start(Milliseconds{0});  // such a host cannot exist
  }
  deadline_.start(kHttpsDeadline);
  (void)answers_.find({request_.host, RecordType::AAAA});
  (void)answers_.find({request_.host, RecordType::A});
  // The resolver may answer after this object was let go; its book must live until then.
  resolve_missing(resolver_, answers_, [self = shared_from_this()] { self->on_resolved(); });
}

void HttpsExchange::on_resolved() {
  if (!on_done_) return;
  append_addresses(answers_.find({request_.host, RecordType::A}), options_.allow_non_global_addresses, addresses_);
  append_addresses(answers_.find({request_.host, RecordType::AAAA}), options_.allow_non_global_addresses, addresses_);
  if (addresses_.size() > kMaxHttpsAddresses)
    addresses_.erase(addresses_.begin(), addresses_.end() - kMaxHttpsAddresses);
  if (addresses_.empty()) {
    return finish(
        fail(ErrorKind::Unavailable, fmt::format("{} has no address that may be connected to", request_.host)));
  }
  connect_next();
}

void HttpsExchange::connect_next() {
  const Endpoint endpoint{addresses_.back(), options_.port};
  addresses_.pop_back();
  std::optional<IpAddress> source;
  for (const IpAddress& address : options_.source_addresses) {
    if (address.family() == endpoint.address.family()) source = address;
  }
  connection_ = Connection::connect(loop_, endpoint, source);
  Connection::Callbacks callbacks;
  callbacks.on_connected = [this] { on_connected(); };
  callbacks.on_bytes = [this](std::string_view octets) { on_bytes(octets); };
  callbacks.on_secured = [this] { connection_->write(request_.octets); };
  callbacks.on_closed = [this](const std::optional<Error>& error) { on_closed(error); };
  connection_->set_callbacks(std::move(callbacks));
}

void HttpsExchange::on_connected() {
  connected_ = true;
  const std::string session_key = fmt::format("{} {}", request_.host, connection_->peer().str());
  connection_->start_tls(tls_.start(request_.requirement, session_key, "http/1.1"));
}

void HttpsExchange::on_bytes(std::string_view octets) {
  if (reader_.feed(octets) == HttpResponseReader::State::Done) take_response();
}

void HttpsExchange::on_closed(const std::optional<Error>& error) {
  if (!error && reader_.end_of_stream() == HttpResponseReader::State::Done) return take_response();
  if (!connected_ && !addresses_.empty()) return connect_next();
  const TlsSession* tls = connection_->tls();
  certificate_refused_ =
      tls != nullptr && tls->peer_verdict() && tls->peer_verdict()->result != CertificateResult::Accepted;
  finish(
      fail(ErrorKind::Unavailable, fmt::format("{}: {}", request_.host, error ? error->detail : "closed by the peer")));
}

void HttpsExchange::take_response() {
  auto response = reader_.take_result();
  if (!response) {
    return finish(fail(response.error().kind, fmt::format("{}: {}", request_.host, response.error().detail)));
  }
  finish(std::move(*response));
}

void HttpsExchange::finish(Result<HttpResponse> result) {
  const auto self = shared_from_this();
  deadline_.stop();
  if (connection_) connection_->close(Milliseconds{1'000});
  connection_.reset();
  if (const auto on_done = std::exchange(on_done_, nullptr)) on_done(std::move(result));
}

}  // namespace waxwing
