#include "relay/rotation/record_sight.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "policy/dkim_key_record.h"

namespace waxwing {
namespace {

using Seen = RecordSighting::Seen;

constexpr std::size_t kMaxEvidence = 2'000;

/// What one server said about the name, over one carrier.
struct Word {
  enum class Kind { Has, Lacks, Silent, Alias } kind = Kind::Silent;
  std::string alias;
  std::string detail;
  std::uint32_t ttl = 0;
};

// A name server with those of its addresses that can be reached from here.
struct Server {
  std::string name;
  std::vector<IpAddress> addresses;
  std::string problem;  // why it has none
};

std::string parent_of(const std::string& name) {
  const std::size_t dot = name.find('.');
  return dot == std::string::npos ? "." : name.substr(dot + 1);
}

Word judge_texts(const std::vector<std::string>& texts, const std::string& record) {
  const bool has = std::ranges::find(texts, record) != texts.end();
  if (has && texts.size() == 1) return {Word::Kind::Has, "", "has it", 0};
  if (has)
    return {Word::Kind::Lacks, "",
            fmt::format("has it beside {} other TXT records of that name, any of which verifiers may take "
                        "(RFC 6376 §3.6.2.2); remove those",
                        texts.size() - 1),
            0};
  if (texts.empty()) return {Word::Kind::Lacks, "", "does not have it", 0};
  const auto parsed = DkimKeyRecord::parse(texts.front());
  if (parsed && parsed->revoked) return {Word::Kind::Lacks, "", "says that it is revoked", 0};
  return {Word::Kind::Lacks, "", "has another record", 0};
}

/// One look; each member function stops early when an answer is missing, and the look begins again when it is there.
class Look {
 public:
  Look(std::string name, const std::string& record, ExpectedRecord expected, WallTime at, ServerAnswers& answers)
      : name_(std::move(name)), record_(record), expected_(expected), answers_(answers) {
    sighting_.at = at;
    sighting_.record = record;
  }

  std::optional<RecordSighting> run() {
    std::string current = name_;
    for (std::size_t link = 0; link < kMaxLinks; ++link) {
      const auto next = look_at_zone(current);
      if (!next) return std::nullopt;
      if (next->empty()) {
        const bool is_settled = expected_ == ExpectedRecord::Present && lacks_ > 0;
        if (!is_settled && !look_through_resolver()) return std::nullopt;
        return conclude();
      }
      current = *next;
    }
    note("the chain of CNAMEs is too long");
    ++silent_;
    return conclude();
  }

 private:
  void note(const std::string& what) {
    if (sighting_.evidence.size() + what.size() > kMaxEvidence) return;
    sighting_.evidence += (sighting_.evidence.empty() ? "" : "; ") + what;
  }

  // The apex of the zone that a name is in; empty: DNS does not say.
  std::optional<std::string> find_apex(const std::string& name) {
    const ServerQuestion question{std::nullopt, DnsCarrier::Udp, parent_of(name), dns::kTypeSoa};
    const ServerAnswer* answer = answers_.find(question);
    if (answer == nullptr) return std::nullopt;
    const bool usable = answer->kind == ServerAnswer::Kind::Answered &&
                        (answer->message.rcode() == dns::kNoError || answer->message.rcode() == dns::kNameError);
    if (!usable) {
      note(fmt::format(
          "the zone of {} cannot be found: {}", name,
          answer->kind == ServerAnswer::Kind::Answered ? dns_rcode_name(answer->message.rcode()) : answer->detail));
      return std::string();
    }
    for (const auto* section : {&answer->message.answers, &answer->message.authorities}) {
      const auto soa = std::ranges::find(*section, dns::kTypeSoa, &DnsRecord::type);
      if (soa == section->end()) continue;
      sighting_.negative_ttl = std::max(sighting_.negative_ttl, Seconds(negative_ttl_of(answer->message, *soa)));
      return soa->name;
    }
    note(fmt::format("the zone of {} cannot be found", name));
    return std::string();
  }

  // Adds the addresses of one family; false: an answer is missing.
  bool add_addresses(Server& server, std::uint16_t type) {
    const ServerAnswer* answer = answers_.find({std::nullopt, DnsCarrier::Udp, server.name, type});
    if (answer == nullptr) return false;
    if (answer->kind != ServerAnswer::Kind::Answered) server.problem = answer->detail;
    for (const DnsRecord& each : answer->message.answers) {
      if (each.type != type) continue;
      const auto octets = address_of(answer->message, each);
      if (!octets) continue;
      const auto address =
          IpAddress::from_octets({reinterpret_cast<const std::uint8_t*>(octets->data()), octets->size()});
      if (address) server.addresses.push_back(*address);
    }
    return true;
  }

  std::optional<std::vector<Server>> find_servers(const std::string& apex) {
    const ServerAnswer* answer = answers_.find({std::nullopt, DnsCarrier::Udp, apex, dns::kTypeNs});
    if (answer == nullptr) return std::nullopt;
    std::vector<Server> servers;
    bool complete = true;
    for (const DnsRecord& each : answer->message.answers) {
      if (each.type != dns::kTypeNs || servers.size() == kMaxServers) continue;
      const auto name = name_of(answer->message, each);
      if (!name) continue;
      Server server{*name, {}, "it has no address"};
      const bool v4 = add_addresses(server, dns::kTypeA);
      const bool v6 = add_addresses(server, dns::kTypeAaaa);
      complete = complete && v4 && v6;
      servers.push_back(std::move(server));
    }
    if (!complete) return std::nullopt;
    return servers;
  }

  Word hear(const ServerAnswer& answer, const std::string& name) {
    if (answer.kind != ServerAnswer::Kind::Answered) return {Word::Kind::Silent, "", answer.detail, 0};
    const DnsMessage& message = answer.message;
    const bool proper = message.rcode() == dns::kNoError || message.rcode() == dns::kNameError;
    if (!proper) return {Word::Kind::Silent, "", "answers " + dns_rcode_name(message.rcode()), 0};
    if (!message.has(dns::kFlagAuthoritative)) return {Word::Kind::Silent, "", "is not authoritative", 0};
    std::vector<std::string> texts;
    std::uint32_t ttl = 0;
    for (const DnsRecord& each : message.answers) {
      if (each.name != name) continue;
      if (each.type == dns::kTypeCname) {
        const auto alias = name_of(message, each);
        if (alias) return {Word::Kind::Alias, *alias, "has a CNAME to " + *alias, each.ttl};
      }
      if (each.type != dns::kTypeTxt) continue;
      texts.push_back(txt_of(message, each).value_or(std::string()));
      ttl = std::max(ttl, each.ttl);
    }
    Word word = judge_texts(texts, record_);
    word.ttl = ttl;
    return word;
  }

  void count(const Word& word, const std::string& who) {
    has_ += word.kind == Word::Kind::Has ? 1 : 0;
    lacks_ += word.kind == Word::Kind::Lacks ? 1 : 0;
    silent_ += word.kind == Word::Kind::Silent ? 1 : 0;
    sighting_.ttl = std::max(sighting_.ttl, Seconds(word.ttl > 0x7fffffffU ? 0 : word.ttl));
    note(who + " " + word.detail);
  }

  // Both words of one address; no value: an answer is missing.
  std::optional<std::vector<Word>> hear_address(const IpAddress& address, const std::string& name) {
    const ServerAnswer* udp = answers_.find({address, DnsCarrier::Udp, name, dns::kTypeTxt});
    const ServerAnswer* tcp = answers_.find({address, DnsCarrier::Tcp, name, dns::kTypeTxt});
    if (udp == nullptr || tcp == nullptr) return std::nullopt;
    if (udp->kind == ServerAnswer::Kind::Unroutable) return std::vector<Word>();
    // A reply that is cut off sends everybody to TCP, so that what TCP says is what counts.
    const bool cut = udp->kind == ServerAnswer::Kind::Answered && udp->message.has(dns::kFlagTruncated);
    return std::vector<Word>{hear(cut ? *tcp : *udp, name), hear(*tcp, name)};
  }

  // Hears all servers of the zone of a name. Gives the target of the CNAME there, empty: there is none; no value: an
  // answer is missing.
  std::optional<std::string> look_at_zone(const std::string& name) {
    const auto apex = find_apex(name);
    if (!apex) return std::nullopt;
    if (apex->empty()) {
      ++silent_;
      return std::string();
    }
    const auto servers = find_servers(*apex);
    if (!servers) return std::nullopt;
    if (servers->empty()) {
      ++silent_;
      note("no name server of " + *apex + " is known");
      return std::string();
    }
    return hear_servers(*servers, name);
  }

  std::optional<std::string> hear_servers(const std::vector<Server>& servers, const std::string& name) {
    bool complete = true;
    std::set<std::string> aliases;
    std::vector<std::pair<Word, std::string>> words;
    for (const Server& server : servers) {
      bool reached = false;
      for (const IpAddress& address : server.addresses) {
        const auto heard = hear_address(address, name);
        complete = complete && heard;
        if (!heard) continue;
        for (std::size_t i = 0; i < heard->size(); ++i) {
          reached = true;
          const Word& word = (*heard)[i];
          if (word.kind == Word::Kind::Alias) aliases.insert(word.alias);
          words.emplace_back(word, fmt::format("{} {} over {}", server.name, address.str(), i == 0 ? "UDP" : "TCP"));
        }
      }
      if (!reached && complete) {
        words.emplace_back(Word{Word::Kind::Silent, "",
                                server.addresses.empty() ? server.problem : "cannot be reached from this host", 0},
                           server.name);
      }
    }
    if (!complete) return std::nullopt;
    for (auto& [word, who] : words) {
      // With a CNAME on one server, whoever has none lacks the record too, whatever it has.
      if (!aliases.empty() && word.kind == Word::Kind::Has) word.kind = Word::Kind::Lacks;
      if (word.kind == Word::Kind::Alias && aliases.size() > 1) word.kind = Word::Kind::Lacks;
      count(word, who);
    }
    return aliases.size() == 1 ? *aliases.begin() : std::string();
  }

  bool look_through_resolver() {
    ServerQuestion question{std::nullopt, DnsCarrier::Udp, name_, dns::kTypeTxt};
    const ServerAnswer* answer = answers_.find(question);
    if (answer == nullptr) return false;
    if (answer->kind == ServerAnswer::Kind::Answered && answer->message.has(dns::kFlagTruncated)) {
      question.carrier = DnsCarrier::Tcp;
      answer = answers_.find(question);
      if (answer == nullptr) return false;
    }
    count(hear_resolver(*answer), "the resolver");
    return true;
  }

  Word hear_resolver(const ServerAnswer& answer) {
    if (answer.kind != ServerAnswer::Kind::Answered) return {Word::Kind::Silent, "", answer.detail, 0};
    const unsigned rcode = answer.message.rcode();
    if (rcode != dns::kNoError && rcode != dns::kNameError)
      return {Word::Kind::Silent, "", fmt::format("answers {}: it cannot validate the name", dns_rcode_name(rcode)), 0};
    std::vector<std::string> texts;
    for (const DnsRecord& each : answer.message.answers)
      if (each.type == dns::kTypeTxt) texts.push_back(txt_of(answer.message, each).value_or(std::string()));
    return judge_texts(texts, record_);
  }

  RecordSighting conclude() {
    if (lacks_ == 0 && silent_ == 0 && has_ > 0)
      sighting_.seen = Seen::Everywhere;
    else if (has_ == 0 && silent_ == 0 && expected_ == ExpectedRecord::Absent)
      sighting_.seen = Seen::Nowhere;
    else
      sighting_.seen = lacks_ > 0 ? Seen::Partly : Seen::Unknown;
    return std::move(sighting_);
  }

  std::string name_;
  const std::string& record_;
  ExpectedRecord expected_;
  ServerAnswers& answers_;
  RecordSighting sighting_;
  std::size_t has_ = 0;
  std::size_t lacks_ = 0;
  std::size_t silent_ = 0;
};

}  // namespace

std::optional<RecordSighting> sight_record(const std::string& name, const std::string& record, ExpectedRecord expected,
                                           WallTime at, ServerAnswers& answers) {
  return Look(name, record, expected, at, answers).run();
}

}  // namespace waxwing
