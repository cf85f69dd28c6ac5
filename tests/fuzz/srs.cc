// A sender that was rewritten is an address of ours and leads back to itself; any other recipient is refused or leads
// to an address.
//
// Input: a sender, a recipient.

#include "signer/srs.h"

#include <cstdint>
#include <string>

#include "policy/ascii.h"
#include "tests/fuzz/finding.h"
#include "tests/fuzz/octet_source.h"

using namespace waxwing;
using fuzz::require;

namespace {

constexpr WallTime kNow{Seconds(1'800'000'000)};

SenderRewriter make_rewriter() {
  std::vector<Secret> secrets;
  secrets.emplace_back("secret");
  return {DomainName::parse("relay.example").value(), std::move(secrets)};
}

void require_address(const MailAddress& address) {
  const auto again = MailAddress::parse(address.str());
  require(again.has_value() && *again == address, "what comes out is an address");
}

/// The local part as it is meant: quotes that are not needed may go (RFC 5321 §4.1.2).
std::string meaning(const MailAddress& address) {
  std::string text;
  const std::string& local = address.local_part;
  const bool quoted = local.starts_with('"');
  for (std::size_t i = quoted ? 1 : 0; i + (quoted ? 1 : 0) < local.size(); ++i) {
    if (quoted && local[i] == '\\') ++i;
    text += local[i];
  }
  return text + "@" + address.domain.str();
}

/// Whether an address looks rewritten already, however it is quoted: it leads back to its first forwarder then.
bool is_rewritten(const MailAddress& address) {
  return ascii_istarts_with(meaning(address), "SRS");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
  static const SenderRewriter kRewriter = make_rewriter();
  fuzz::OctetSource source(octets, size);
  if (const auto sender = MailAddress::parse(source.line())) {
    const auto forwarded = kRewriter.rewrite(*sender, kNow);
    if (forwarded) {
      require_address(*forwarded);
      require(forwarded->domain == kRewriter.domain(), "a rewritten sender is in our domain");
      const bool stays = sender->domain == kRewriter.domain();
      require(!stays || *forwarded == *sender, "a sender of ours stays as it is");
      const auto restored = kRewriter.restore(*forwarded, kNow);
      require(stays || restored.has_value(), "what we made we believe");
      if (!stays && !is_rewritten(*sender))
        require(meaning(*restored) == meaning(*sender), "a rewritten sender leads back to itself");
    }
  }
  if (const auto recipient = MailAddress::parse(source.line())) {
    if (const auto restored = kRewriter.restore(*recipient, kNow)) require_address(*restored);
  }
  return 0;
}
