#include "policy/spf.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "policy/ascii.h"
#include "policy/spf_name.h"
#include "policy/spf_record.h"

namespace waxwing {
namespace {

using Mechanism = SpfDirective::Mechanism;

// RFC 7208 §4.6.4.
constexpr unsigned kMaxLookupTerms = 10;
constexpr unsigned kMaxVoidLookups = 2;
constexpr std::size_t kMaxNamesPerTerm = 10;

constexpr std::size_t kMaxExplanationOctets = 1'000;

// Why an evaluation ends before a mechanism has been decided: a verdict, or nothing while an answer is missing.
struct Stop {
  std::optional<SpfVerdict> verdict;
};
template <class T>
using Step = tl::expected<T, Stop>;

tl::unexpected<Stop> wait_for_answers() {
  return tl::unexpected(Stop{});
}
tl::unexpected<Stop> stop(SpfResult result, std::string detail) {
  return tl::unexpected(Stop{SpfVerdict{result, std::move(detail), ""}});
}

SpfResult result_of(char qualifier) {
  switch (qualifier) {
    case '-':
      return SpfResult::Fail;
    case '~':
      return SpfResult::SoftFail;
    case '?':
      return SpfResult::Neutral;
    default:
      return SpfResult::Pass;
  }
}

bool causes_lookup(Mechanism mechanism) {
  return mechanism != Mechanism::All && mechanism != Mechanism::Ip4 && mechanism != Mechanism::Ip6;
}

// RFC 7208 §4.3: anything but a fully qualified name has no policy.
bool is_checkable_domain(std::string_view domain) {
  return is_askable_name(domain) && domain.find('.') != std::string_view::npos && !domain.starts_with('[');
}

// What a record said, and where its explanation comes from.
struct Judgement {
  SpfVerdict verdict;
  std::optional<SpfMacroString> explanation;
  std::string domain;
};

// One run of check_host() with its includes and redirects; the counters span them all.
class Evaluation {
 public:
  Evaluation(const SpfInput& input, Answers& answers) : input_(input), answers_(answers) {
    values_.sender_local = input.sender_local.empty() ? "postmaster" : input.sender_local;
    values_.sender_domain = input.sender_domain;
    values_.dotted_address = dotted_address(input.client);
    values_.address = input.client.str();
    values_.address_family = is_v4() ? "in-addr" : "ip6";
    values_.helo = input.helo;
    values_.receiver = input.receiver.empty() ? "unknown" : input.receiver;
    values_.timestamp = fmt::format("{}", std::chrono::floor<Seconds>(input.now).time_since_epoch().count());
  }

  Step<SpfVerdict> run() {
    auto judgement = check(input_.domain);
    if (!judgement) return tl::unexpected(std::move(judgement.error()));
    if (judgement->verdict.result == SpfResult::Fail && input_.explanation == SpfExplanation::Wanted) {
      auto text = explain(*judgement);
      if (!text) return tl::unexpected(std::move(text.error()));
      judgement->verdict.explanation = std::move(*text);
    }
    return std::move(judgement->verdict);
  }

 private:
  [[nodiscard]] bool is_v4() const { return input_.client.family() == IpAddress::Family::V4; }
  [[nodiscard]] RecordType address_type() const { return is_v4() ? RecordType::A : RecordType::AAAA; }

  static Judgement judge(SpfResult result, std::string detail) {
    return {SpfVerdict{result, std::move(detail), ""}, {}, {}};
  }

  // check_host() of RFC 7208 §4. Errors inside become the verdict of this level; only a missing answer stops it.
  Step<Judgement> check(const std::string& domain) {
    auto checked = check_record_of(domain);
    if (!checked && checked.error().verdict) return Judgement{std::move(*checked.error().verdict), {}, {}};
    return checked;
  }

  Step<Judgement> check_record_of(const std::string& domain) {
    if (!is_checkable_domain(domain)) return judge(SpfResult::None, fmt::format("{} is not a domain name", domain));
    auto txt = select_record(domain);
    if (!txt) return tl::unexpected(std::move(txt.error()));
    if (!*txt) return judge(SpfResult::None, fmt::format("{} has no SPF record", domain));
    auto record = SpfRecord::parse(**txt);
    if (!record) return stop(SpfResult::PermError, fmt::format("{}: {}", domain, record.error().detail));
    return evaluate(*record, domain);
  }

  // The text of the one SPF record, nullptr when there is none.
  Step<const std::string*> select_record(const std::string& domain) {
    const Answer* answer = answers_.find({domain, RecordType::TXT});
    if (!answer) return wait_for_answers();
    if (!answer->usable()) return failed_lookup(domain, RecordType::TXT, *answer);
    const std::string* only = nullptr;
    for (const RecordData& data : answer->records) {
      const auto* txt = std::get_if<TxtRecord>(&data);
      if (!txt || !is_spf_record(txt->text)) continue;
      if (only) return stop(SpfResult::PermError, fmt::format("{} has more than one SPF record", domain));
      only = &txt->text;
    }
    return only;
  }

  Step<Judgement> evaluate(const SpfRecord& record, const std::string& domain) {
    for (std::size_t i = 0; i < record.directives.size(); ++i) {
      const SpfDirective& directive = record.directives[i];
      auto matched = match(directive, domain);
      if (!matched) {
        if (!matched.error().verdict) note_ahead(record, i, domain);
        return tl::unexpected(std::move(matched.error()));
      }
      if (!*matched) continue;
      return Judgement{SpfVerdict{result_of(directive.qualifier),
                                  fmt::format("\"{}\" in the SPF record of {} matches {}", directive.text, domain,
                                              input_.client.str()),
                                  ""},
                       record.explanation, domain};
    }
    if (record.redirect) return follow_redirect(*record.redirect, domain);
    return judge(SpfResult::Neutral,
                 fmt::format("nothing in the SPF record of {} matches {}", domain, input_.client.str()));
  }

  // RFC 7208 §6.1.
  Step<Judgement> follow_redirect(const SpfMacroString& redirect, const std::string& domain) {
    if (auto counted = count_term(domain); !counted) return tl::unexpected(std::move(counted.error()));
    auto target = expand_domain(redirect, domain);
    if (!target) return tl::unexpected(std::move(target.error()));
    auto judgement = check(*target);
    if (judgement && judgement->verdict.result == SpfResult::None) {
      return stop(SpfResult::PermError, fmt::format("{} redirects to {}, which has no SPF record", domain, *target));
    }
    return judgement;
  }

  Step<bool> match(const SpfDirective& directive, const std::string& domain) {
    if (directive.mechanism == Mechanism::All) return true;
    if (directive.mechanism == Mechanism::Ip4 || directive.mechanism == Mechanism::Ip6) {
      return directive.network && is_within(*directive.network, directive);
    }
    if (auto counted = count_term(domain); !counted) return tl::unexpected(std::move(counted.error()));
    auto target = directive.domain ? expand_domain(*directive.domain, domain) : Step<std::string>(domain);
    if (!target) return tl::unexpected(std::move(target.error()));
    if (directive.mechanism == Mechanism::Include) return match_include(*target, domain);
    if (!is_askable_name(*target)) return false;
    switch (directive.mechanism) {
      case Mechanism::A:
        return match_a(*target, directive);
      case Mechanism::Mx:
        return match_mx(*target, directive);
      case Mechanism::Ptr:
        return match_ptr(*target);
      default:
        return match_exists(*target);
    }
  }

  // RFC 7208 §5.2.
  Step<bool> match_include(const std::string& target, const std::string& domain) {
    auto judgement = check(target);
    if (!judgement) return tl::unexpected(std::move(judgement.error()));
    SpfVerdict& verdict = judgement->verdict;
    switch (verdict.result) {
      case SpfResult::Pass:
        return true;
      case SpfResult::Fail:
      case SpfResult::SoftFail:
      case SpfResult::Neutral:
        return false;
      case SpfResult::TempError:
        return stop(SpfResult::TempError, std::move(verdict.detail));
      case SpfResult::PermError:
        return stop(SpfResult::PermError, std::move(verdict.detail));
      case SpfResult::None:
        break;
    }
    return stop(SpfResult::PermError, fmt::format("{} includes {}, which has no SPF record", domain, target));
  }

  // RFC 7208 §5.3.
  Step<bool> match_a(const std::string& target, const SpfDirective& directive) {
    auto answer = look_up({target, address_type()});
    if (!answer) return tl::unexpected(std::move(answer.error()));
    return has_address_within(**answer, directive);
  }

  // RFC 7208 §5.4.
  Step<bool> match_mx(const std::string& target, const SpfDirective& directive) {
    auto answer = look_up({target, RecordType::MX});
    if (!answer) return tl::unexpected(std::move(answer.error()));
    std::vector<MxRecord> hosts;
    for (const RecordData& data : (*answer)->records) {
      const auto* mx = std::get_if<MxRecord>(&data);
      if (mx && is_askable_name(mx->exchange)) hosts.push_back(*mx);
    }
    std::ranges::sort(hosts);
    const bool too_many = hosts.size() > kMaxNamesPerTerm;
    if (too_many) hosts.resize(kMaxNamesPerTerm);
    for (const MxRecord& host : hosts) static_cast<void>(answers_.find({host.exchange, address_type()}));
    for (const MxRecord& host : hosts) {
      auto addresses = look_up({host.exchange, address_type()});
      if (!addresses) return tl::unexpected(std::move(addresses.error()));
      if (has_address_within(**addresses, directive)) return true;
    }
    if (too_many) return stop(SpfResult::PermError, fmt::format("mx:{} has more than 10 hosts", target));
    return false;
  }

  // RFC 7208 §5.5.
  Step<bool> match_ptr(const std::string& target) {
    auto names = validated_names(VoidLookups::Counted);
    if (!names) return tl::unexpected(std::move(names.error()));
    return std::ranges::any_of(*names, [&](const std::string& name) { return is_name_within(name, target); });
  }

  // RFC 7208 §5.7: type A even for an IPv6 client.
  Step<bool> match_exists(const std::string& target) {
    auto answer = look_up({target, RecordType::A});
    if (!answer) return tl::unexpected(std::move(answer.error()));
    return !(*answer)->records.empty();
  }

  [[nodiscard]] bool is_within(const IpAddress& network, const SpfDirective& directive) const {
    return input_.client.is_in(network, is_v4() ? directive.ip4_prefix : directive.ip6_prefix);
  }

  [[nodiscard]] bool has_address_within(const Answer& answer, const SpfDirective& directive) const {
    return std::ranges::any_of(answer.records, [&](const RecordData& data) {
      const auto* address = std::get_if<IpAddress>(&data);
      return address && is_within(*address, directive);
    });
  }

  static tl::unexpected<Stop> failed_lookup(std::string_view name, RecordType type, const Answer& answer) {
    return stop(SpfResult::TempError, fmt::format("the lookup of {} {} failed{}{}", name, record_type_name(type),
                                                  answer.detail.empty() ? "" : ": ", answer.detail));
  }

  Step<void> count_term(const std::string& domain) {
    if (++lookup_terms_ <= kMaxLookupTerms) return {};
    return stop(SpfResult::PermError, fmt::format("the SPF record of {} needs more than 10 lookups", domain));
  }

  Step<const Answer*> look_up(const Question& question) {
    const Answer* answer = answers_.find(question);
    if (!answer) return wait_for_answers();
    if (!answer->usable()) return failed_lookup(question.name, question.type, *answer);
    if (answer->records.empty() && ++void_lookups_ > kMaxVoidLookups) {
      return stop(SpfResult::PermError,
                  fmt::format("more than 2 lookups found nothing, the last of {}", question.name));
    }
    return answer;
  }

  // Names of the client that lead back to it (RFC 7208 §5.5). A failed lookup validates nothing and is no error.
  enum class VoidLookups { Counted, NotCounted };
  Step<std::vector<std::string>> validated_names(VoidLookups counting) {
    std::vector<std::string> validated;
    const Question question{reverse_name(input_.client), RecordType::PTR};
    const Answer* answer = answers_.find(question);
    if (!answer) return wait_for_answers();
    if (!answer->usable()) return validated;
    if (counting == VoidLookups::Counted) {
      if (auto looked_up = look_up(question); !looked_up) return tl::unexpected(std::move(looked_up.error()));
    }
    std::vector<std::string> names;
    for (const RecordData& data : answer->records) {
      const auto* ptr = std::get_if<PtrRecord>(&data);
      if (ptr && is_askable_name(ptr->name) && names.size() < kMaxNamesPerTerm) names.push_back(ptr->name);
    }
    bool complete = true;
    for (const std::string& name : names) {
      const Answer* addresses = answers_.find({name, address_type()});
      complete = complete && addresses != nullptr;
      if (addresses && addresses->usable() && leads_to_client(*addresses)) validated.push_back(name);
    }
    if (!complete) return wait_for_answers();
    return validated;
  }

  [[nodiscard]] bool leads_to_client(const Answer& answer) const {
    return std::ranges::any_of(answer.records, [&](const RecordData& data) {
      const auto* address = std::get_if<IpAddress>(&data);
      return address && *address == input_.client;
    });
  }

  // The `p` macro (RFC 7208 §7.3): the domain itself, else a name below it, else any, else "unknown".
  Step<std::string> preferred_name(const std::string& domain) {
    auto names = validated_names(VoidLookups::NotCounted);
    if (!names) return tl::unexpected(std::move(names.error()));
    for (const std::string& name : *names) {
      if (ascii_iequal(name, domain)) return name;
    }
    for (const std::string& name : *names) {
      if (is_name_within(name, domain)) return name;
    }
    return names->empty() ? "unknown" : names->front();
  }

  Step<std::string> expand(const SpfMacroString& text, const std::string& domain) {
    values_.domain = domain;
    if (uses_spf_macro(text, 'p')) {
      auto name = preferred_name(domain);
      if (!name) return name;
      values_.validated_name = std::move(*name);
    }
    return expand_spf_macros(text, values_);
  }

  Step<std::string> expand_domain(const SpfMacroString& text, const std::string& domain) {
    return expand(text, domain).map([](const std::string& expanded) { return question_name(expanded); });
  }

  // RFC 7208 §6.2: whatever goes wrong means that there is no explanation.
  Step<std::string> explain(const Judgement& judgement) {
    if (!judgement.explanation) return "";
    auto target = expand_domain(*judgement.explanation, judgement.domain);
    if (!target) return target;
    if (!is_askable_name(*target)) return "";
    const Answer* answer = answers_.find({*target, RecordType::TXT});
    if (!answer) return wait_for_answers();
    if (!answer->usable() || answer->records.size() != 1) return "";
    const auto* txt = std::get_if<TxtRecord>(&answer->records.front());
    const auto text = txt ? parse_spf_macro_string(txt->text, SpfMacroUse::Explanation) : std::nullopt;
    if (!text) return "";
    auto expanded = expand(*text, judgement.domain);
    if (!expanded) return expanded;
    const bool is_printable = std::ranges::all_of(*expanded, [](char c) { return c >= 0x20 && c < 0x7f; });
    return is_printable ? expanded->substr(0, kMaxExplanationOctets) : "";
  }

  // Notes what later terms will ask for, so that one round trip serves them all. Terms beyond the limit are left out.
  void note_ahead(const SpfRecord& record, std::size_t from, const std::string& domain) {
    unsigned terms = lookup_terms_;  // the term that waits has been counted
    for (std::size_t i = from + 1; i < record.directives.size(); ++i) {
      const SpfDirective& directive = record.directives[i];
      if (directive.mechanism == Mechanism::All) return;
      if (!causes_lookup(directive.mechanism)) continue;
      if (++terms > kMaxLookupTerms) return;
      note_first_question(directive, domain);
    }
    if (record.redirect && terms < kMaxLookupTerms) {
      note(*record.redirect, RecordType::TXT, domain);
    }
  }

  void note_first_question(const SpfDirective& directive, const std::string& domain) {
    const SpfMacroString current = {SpfMacroPart{domain, 0, false, false, 0, ""}};
    const SpfMacroString& target = directive.domain ? *directive.domain : current;
    switch (directive.mechanism) {
      case Mechanism::Include:
        return note(target, RecordType::TXT, domain);
      case Mechanism::A:
        return note(target, address_type(), domain);
      case Mechanism::Mx:
        return note(target, RecordType::MX, domain);
      case Mechanism::Exists:
        return note(target, RecordType::A, domain);
      default:
        return static_cast<void>(answers_.find({reverse_name(input_.client), RecordType::PTR}));
    }
  }

  void note(const SpfMacroString& target, RecordType type, const std::string& domain) {
    const auto name = expand_domain(target, domain);
    if (name && is_askable_name(*name)) static_cast<void>(answers_.find({*name, type}));
  }

  const SpfInput& input_;
  Answers& answers_;
  SpfMacroValues values_;
  unsigned lookup_terms_ = 0;
  unsigned void_lookups_ = 0;
};

}  // namespace

std::string_view spf_result_name(SpfResult result) {
  switch (result) {
    case SpfResult::None:
      return "none";
    case SpfResult::Neutral:
      return "neutral";
    case SpfResult::Pass:
      return "pass";
    case SpfResult::Fail:
      return "fail";
    case SpfResult::SoftFail:
      return "softfail";
    case SpfResult::TempError:
      return "temperror";
    case SpfResult::PermError:
      return "permerror";
  }
  return "none";
}

std::optional<SpfVerdict> check_host(const SpfInput& input, Answers& answers) {
  auto verdict = Evaluation(input, answers).run();
  if (verdict) return std::move(*verdict);
  return std::move(verdict.error().verdict);
}

}  // namespace waxwing
