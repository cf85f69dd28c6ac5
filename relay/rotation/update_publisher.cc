#include "relay/rotation/update_publisher.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "transport/dns/dns_update.h"

namespace waxwing {
namespace {

using Kind = RotationAction::Kind;

constexpr unsigned kRefused = 5;
constexpr unsigned kYxRrset = 7;
constexpr unsigned kNxRrset = 8;
constexpr unsigned kNotAuth = 9;

std::vector<std::string> texts_at(const DnsMessage& message, const std::string& name) {
  std::vector<std::string> texts;
  for (const DnsRecord& each : message.answers)
    if (each.name == name && each.type == dns::kTypeTxt) texts.push_back(txt_of(message, each).value_or(std::string()));
  return texts;
}

}  // namespace

UpdatePublisher::UpdatePublisher(Endpoint server, TsigKey key, unsigned ttl_seconds, Milliseconds timeout)
    : client_(loop_, {timeout, timeout}), server_(server), key_(std::move(key)), ttl_seconds_(ttl_seconds) {}

UpdatePublisher::~UpdatePublisher() = default;

std::string UpdatePublisher::who() const {
  return "the name server " + server_.str();
}

Result<DnsMessage> UpdatePublisher::exchange(const std::function<void(DnsClient&, DnsClient::OnReply)>& start) {
  std::optional<Result<DnsMessage>> reply;
  loop_.post([&] {
    start(client_, [&](Result<DnsMessage> received) {
      reply = std::move(received);
      loop_.stop();
    });
  });
  loop_.run();
  if (*reply) return std::move(**reply);
  return fail(reply->error().kind, fmt::format("{} cannot be reached for updates: {}; look at rotation.update_server",
                                               who(), reply->error().detail));
}

Result<DnsMessage> UpdatePublisher::ask(const std::string& name, std::uint16_t type) {
  auto query = write_dns_query(0, name, type, 0);
  if (!query) return tl::unexpected(query.error());
  return exchange([&](DnsClient& client, DnsClient::OnReply on_reply) {
    client.ask(server_, DnsCarrier::Tcp, std::move(*query), std::move(on_reply));
  });
}

// The parent is asked for, since a CNAME at the name itself would lead elsewhere.
Result<std::string> UpdatePublisher::find_zone(const std::string& name) {
  const std::size_t dot = name.find('.');
  const auto reply = ask(dot == std::string::npos ? "." : name.substr(dot + 1), dns::kTypeSoa);
  if (!reply) return tl::unexpected(reply.error());
  for (const auto* section : {&reply->answers, &reply->authorities}) {
    const auto soa = std::ranges::find(*section, dns::kTypeSoa, &DnsRecord::type);
    if (soa != section->end() && reply->has(dns::kFlagAuthoritative)) return soa->name;
  }
  return fail(
      ErrorKind::NotFound,
      fmt::format("{} has no zone for {} ({}); make the zone there, or set rotation.update_server to the primary "
                  "server that has it",
                  who(), name, dns_rcode_name(reply->rcode())));
}

// Gives the rcode.
Result<unsigned> UpdatePublisher::update(const Result<std::string>& message) {
  if (!message) return tl::unexpected(message.error());
  const auto signed_message = sign_message_with_tsig(*message, key_, loop_.wall_now());
  if (!signed_message) return tl::unexpected(signed_message.error());
  const auto reply = exchange([&](DnsClient& client, DnsClient::OnReply on_reply) {
    client.send(server_, signed_message->octets, std::move(on_reply));
  });
  if (!reply) return tl::unexpected(reply.error());
  // Without TSIG a server may say no, but never yes.
  const auto verified = verify_tsig_reply(reply->octets, key_, signed_message->mac, loop_.wall_now());
  if (!verified && reply->additional.empty() && reply->rcode() != dns::kNoError) return reply->rcode();
  if (!verified)
    return tl::unexpected(Error{verified.error().kind, fmt::format("{}: {}", who(), verified.error().detail)});
  return reply->rcode();
}

Result<void> UpdatePublisher::explain_refusal(const RotationAction& action, const std::string& name, unsigned rcode) {
  const bool prerequisite = rcode == kYxRrset || rcode == kNxRrset;
  if (prerequisite) {
    const auto reply = ask(name, dns::kTypeTxt);
    if (!reply) return tl::unexpected(reply.error());
    const std::vector<std::string> texts = texts_at(*reply, name);
    const std::string wanted = action.kind == Kind::Revoke ? kRevokedRecord : action.record;
    if (texts == std::vector<std::string>{wanted}) return {};
    if (texts.empty() && action.kind == Kind::Revoke) return {};  // gone altogether, which says the same
    return fail(
        ErrorKind::Conflict,
        fmt::format("{} has other records at {}, which are not ours to touch; remove them, or make keys of another "
                    "selector",
                    who(), name));
  }
  if (rcode == kRefused || rcode == kNotAuth) {
    return fail(ErrorKind::Denied,
                fmt::format("{} answers {} to the update of {}; let the TSIG key {} change TXT records "
                            "there (BIND: update-policy, Knot: acl with action update)",
                            who(), dns_rcode_name(rcode), name, key_.name));
  }
  return fail(ErrorKind::Unavailable,
              fmt::format("{} answers {} to the update of {}", who(), dns_rcode_name(rcode), name));
}

Result<void> UpdatePublisher::carry_out(const RotationAction& action, const std::string& name, const RotationState&) {
  const auto zone = find_zone(name);
  if (!zone) return tl::unexpected(zone.error());
  const std::uint16_t id = random_dns_id();
  Result<unsigned> rcode = 0U;
  switch (action.kind) {
    case Kind::Publish:
      rcode = update(write_txt_addition(id, *zone, name, ttl_seconds_, action.record));
      break;
    case Kind::Revoke:
      rcode = update(write_txt_replacement(id, *zone, name, ttl_seconds_, action.record, kRevokedRecord));
      break;
    default:
      rcode = update(write_txt_removal(id, *zone, name, action.record));
      break;
  }
  if (!rcode) return tl::unexpected(rcode.error());
  if (*rcode == dns::kNoError) return {};
  return explain_refusal(action, name, *rcode);
}

}  // namespace waxwing
