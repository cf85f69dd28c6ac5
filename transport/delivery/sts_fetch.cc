#include "transport/delivery/sts_fetch.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "policy/mta_sts.h"
#include "transport/http/sts_fetch_rules.h"

namespace waxwing {
namespace {

constexpr Milliseconds kDeadline{60'000};
constexpr std::size_t kMaxAddresses = 4;
constexpr std::size_t kMaxNameOctets = 253;

void append_addresses(const Answer* answer, bool allow_non_global, std::vector<IpAddress>& addresses) {
  if (answer == nullptr || !answer->usable()) return;
  for (const RecordData& data : answer->records) {
    const auto* address = std::get_if<IpAddress>(&data);
    if (address != nullptr && (allow_non_global || address->is_global())) addresses.push_back(*address);
  }
}

}  // namespace

StsFetch::StsFetch(EventLoop& loop, Resolver& resolver, TlsClientContext& tls, const DomainName& domain,
                   Options options, OnDone on_done)
    : loop_(loop),
      resolver_(resolver),
      tls_(tls),
      domain_(domain),
      host_(sts_policy_host(domain)),
      options_(std::move(options)),
      on_done_(std::move(on_done)),
      deadline_(loop,
                [this] { finish(fail(ErrorKind::Unavailable, fmt::format("{} took longer than a minute", host_))); }),
      reader_(kMaxStsPolicyOctets) {}

void StsFetch::start() {
  if (host_.size() > kMaxNameOctets) {
    return deadline_.start(Milliseconds{0});  // such a host cannot exist
  }
  deadline_.start(kDeadline);
  (void)answers_.find({host_, RecordType::AAAA});
  (void)answers_.find({host_, RecordType::A});
  // The resolver may answer after this object was let go; its book must live until then.
  resolve_missing(resolver_, answers_, [self = shared_from_this()] { self->on_resolved(); });
}

void StsFetch::on_resolved() {
  if (!on_done_) return;
  append_addresses(answers_.find({host_, RecordType::A}), options_.allow_non_global_addresses, addresses_);
  append_addresses(answers_.find({host_, RecordType::AAAA}), options_.allow_non_global_addresses, addresses_);
  if (addresses_.size() > kMaxAddresses) addresses_.erase(addresses_.begin(), addresses_.end() - kMaxAddresses);
  if (addresses_.empty()) {
    return finish(fail(ErrorKind::Unavailable, fmt::format("{} has no address that may be connected to", host_)));
  }
  connect_next();
}

void StsFetch::connect_next() {
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
  callbacks.on_secured = [this] { on_secured(); };
  callbacks.on_closed = [this](const std::optional<Error>& error) { on_closed(error); };
  connection_->set_callbacks(std::move(callbacks));
}

void StsFetch::on_connected() {
  connected_ = true;
  TlsRequirement requirement;
  requirement.method = TlsRequirement::Method::Pkix;
  requirement.level = TlsLevel::Verified;
  requirement.reference_identifiers = {host_};
  requirement.server_name = host_;
  requirement.reason =
      fmt::format("An MTA-STS policy is believed only from a host with a certificate for {} (RFC 8461 §3.3).", host_);
  connection_->start_tls(tls_.start(requirement, fmt::format("{} {}", host_, connection_->peer().str()), "http/1.1"));
}

void StsFetch::on_secured() {
  connection_->write(format_http_get(sts_policy_request(domain_, options_.user_agent)));
}

void StsFetch::on_bytes(std::string_view octets) {
  if (reader_.feed(octets) == HttpResponseReader::State::Done) take_response();
}

void StsFetch::on_closed(const std::optional<Error>& error) {
  if (!error && reader_.end_of_stream() == HttpResponseReader::State::Done) return take_response();
  if (!connected_ && !addresses_.empty()) return connect_next();
  const TlsSession* tls = connection_->tls();
  certificate_refused_ =
      tls != nullptr && tls->peer_verdict() && tls->peer_verdict()->result != CertificateResult::Accepted;
  finish(fail(ErrorKind::Unavailable, fmt::format("{}: {}", host_, error ? error->detail : "closed by the peer")));
}

void StsFetch::take_response() {
  auto response = reader_.take_result();
  if (!response) return finish(fail(response.error().kind, fmt::format("{}: {}", host_, response.error().detail)));
  finish(take_sts_policy_text(std::move(*response)));
}

void StsFetch::finish(Result<std::string> result) {
  const auto self = shared_from_this();
  deadline_.stop();
  if (connection_) connection_->close(Milliseconds{1'000});
  connection_.reset();
  if (const auto on_done = std::exchange(on_done_, nullptr)) on_done(std::move(result));
}

}  // namespace waxwing
