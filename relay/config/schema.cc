#include "relay/config/schema.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <type_traits>

#include "relay/config/quantity.h"
#include "relay/config/spelling.h"
#include "relay/observe/escape.h"

namespace waxwing {
namespace {

struct Section {
  std::string_view name;
  std::string_view help;
};

constexpr Section kSections[] = {
    {"", "What the relay is called and where it keeps its state."},
    {"listener",
     "Where applications submit mail. Each listener is a [[listener]] of its own; without any, there is one on "
     "127.0.0.1 port 587 as below."},
    {"limits", "What one client may ask for, and all of them together."},
    {"account",
     "Who may submit. Each account is an [[account]] of its own; others are made with \"waxwing account add\". Limits "
     "are counted by hours of the clock and over the last 24 of them; what is over them is refused with 452 or held. "
     "\"waxwing account limit\" changes those of other accounts without a restart."},
    {"tenant",
     "Limits of all accounts of a tenant together, each a [[tenant]] of its own; as \"waxwing tenant limit\" sets "
     "them."},
    {"dns", "Who answers questions of DNS; it must validate DNSSEC."},
    {"egress", "The addresses from which mail leaves."},
    {"egress.source",
     "Local ends from which mail leaves, each an [[egress.source]] of its own: addresses, and what it calls itself in "
     "EHLO. Without any, there is one, of egress.source_addresses and hostname. A source with addresses of one family "
     "is not used towards hosts of the other."},
    {"egress.pool",
     "Sources that share some mail, each an [[egress.pool]] of its own. A message keeps to one source of its pool, "
     "chosen by weight; another takes over when that one is paused at a provider, or its warm-up allows no more there "
     "today. When all are, the message waits until one may send again."},
    {"egress.rule",
     "Which mail leaves from which pool. Each rule is an [[egress.rule]] of its own with a pool, and a tenant, a "
     "domain "
     "or both. Of the rules that fit, one with a domain comes before one without, the longer domain before the "
     "shorter, and then one with a tenant before one without; where none fits, egress.default_pool holds."},
    {"egress.pause",
     "Replies that say that a provider wants less from an address. Each rule is an [[egress.pause]] of its own with a "
     "name, a pause_for, and a code, a text or both. The source that got such a reply rests at that provider, the "
     "registrable domain of the MX host; the message is tried from another source of its pool, and is not bounced for "
     "that reply. Rules are looked at in order, and the first that fits counts."},
    {"delivery", "How mail is handed to the hosts of recipient domains."},
    {"route",
     "Mail that does not go by the MX records of its recipients' domains. Each route is a [[route]] of its own with "
     "domains and next hops. Of those that fit, the one with the most exact domain holds (the domain itself, then the "
     "longest one above it, then \"*\"), and of these one with a tenant comes before one without. A host of a route "
     "must "
     "prove itself by a key of pins, else by a certificate for its name of ca_file, else by DANE where it has usable "
     "TLSA "
     "records, else by a certificate of a public authority; rules of [[tls.rule]] may ask for more, and nothing leaves "
     "in clear text. What the recipient's domain publishes does not count."},
    {"queue", "How long mail is kept and how often delivery is tried."},
    {"signing", "DKIM signatures. Keys are made with \"waxwing keys create\"."},
    {"rotation",
     "How keys change hands, for domains whose keys have a life cycle: those made without naming a selector, and those "
     "rotated once (\"waxwing keys\")."},
    {"keys", "Where private keys are kept, and how."},
    {"signer",
     "waxwing-signer, a process of its own without network, which alone can read the private keys. Without it, the "
     "relay reads them itself."},
    {"signer.rule",
     "Tenants that may have mail signed for a domain, checked by waxwing-signer once more. Each rule is a "
     "[[signer.rule]] "
     "of its own with both. Where no rule names a domain or one above it, all tenants may; else those of the longest "
     "such "
     "domain, and nobody else."},
    {"preflight", "The check, before a message is accepted, that receivers will accept it by SPF, DKIM and DMARC."},
    {"preflight.rule",
     "Other modes for some mail. Each rule is a [[preflight.rule]] of its own with a mode, and a tenant, a domain or "
     "both. Of the rules that fit, one with a domain comes before one without, the longer domain before the shorter, "
     "and then one with a tenant before one without; where none fits, preflight.mode holds."},
    {"tls",
     "What hosts must prove besides what their domains publish. DANE and MTA-STS are always obeyed; what this relay "
     "asks "
     "for by itself is delivery.minimum_tls."},
    {"tls.rule",
     "More TLS for some mail. Each rule is a [[tls.rule]] of its own with a minimum, and a tenant, a domain or both. "
     "The "
     "highest of delivery.minimum_tls and of all rules that fit holds."},
    {"tls.exception",
     "Mail for a domain whose hosts cannot prove what the domain publishes, or what a rule asks for, by somebody's "
     "mistake. Each exception is a [[tls.exception]] of its own; every use is logged with its reason. A message with "
     "REQUIRETLS does not know it, and nothing goes out in clear text."},
    {"tls_report", "Reports to recipient domains about TLS with their hosts (RFC 8460)."},
    {"suppression", "Addresses to which nobody of a tenant may submit, because nothing arrives there."},
    {"forwarding", "Mail from elsewhere that goes on: ARC and the Sender Rewriting Scheme."},
    {"log", "The log on standard error, one line for each event."},
};

std::string quoted(std::string_view text) {
  return fmt::format("\"{}\"", text);
}

// Values as TOML writes them.
struct TomlWriter {
  const Option& option;

  std::string operator()(const std::string& text) const { return text.empty() ? "" : quoted(text); }
  std::string operator()(bool flag) const { return flag ? "true" : "false"; }
  std::string operator()(Seconds duration) const { return quoted(format_duration(duration)); }
  std::string operator()(const IpAddress& address) const { return quoted(address.str()); }
  template <class Element>
  std::string operator()(const std::vector<Element>& list) const {
    std::vector<std::string> elements;
    for (const Element& element : list) elements.push_back((*this)(element));
    return fmt::format("[{}]", fmt::join(elements, ", "));
  }
  template <class Number>
  requires(std::is_integral_v<Number> && !std::is_same_v<Number, bool>) std::string operator()(Number number) const {
    return option.type == OptionType::Size ? quoted(format_size(number)) : std::to_string(number);
  }
  std::string operator()(const EgressShare& share) const { return quoted(share.source); }
  std::string operator()(WallTime) const { return ""; }  // no date is the right one for everybody
  template <class Enumeration>
  requires std::is_enum_v<Enumeration> std::string operator()(Enumeration value) const {
    for (const ChoiceWord& choice : option.choices) {
      if (choice.value == static_cast<int>(value)) return quoted(choice.word);
    }
    return "";
  }
};

struct DefaultReader {
  const Option& option;

  template <class Value>
  std::string operator()(Value Config::*field) const {
    return TomlWriter{option}(Config{}.*field);
  }
  template <class Value>
  std::string operator()(Value ListenerConfig::*field) const {
    return TomlWriter{option}(ListenerConfig{}.*field);
  }
  template <class Value>
  std::string operator()(Value AccountConfig::*field) const {
    return TomlWriter{option}(AccountConfig{}.*field);
  }
  template <class Value>
  std::string operator()(Value TenantConfig::*field) const {
    return TomlWriter{option}(TenantConfig{}.*field);
  }
  template <class Value>
  std::string operator()(Value LimitsConfig::*field) const {
    return TomlWriter{option}(LimitsConfig{}.*field);
  }
  template <class Value>
  std::string operator()(Value RouteConfig::*field) const {
    return TomlWriter{option}(RouteConfig{}.*field);
  }
  template <class Value>
  std::string operator()(Value PreflightRule::*field) const {
    return TomlWriter{option}(PreflightRule{}.*field);
  }
  template <class Value>
  std::string operator()(Value SignerRule::*field) const {
    return TomlWriter{option}(SignerRule{}.*field);
  }
  template <class Value>
  std::string operator()(Value TlsRule::*field) const {
    return TomlWriter{option}(TlsRule{}.*field);
  }
  template <class Value>
  std::string operator()(Value TlsExceptionRule::*field) const {
    return TomlWriter{option}(TlsExceptionRule{}.*field);
  }
  template <class Value>
  std::string operator()(Value EgressSourceConfig::*field) const {
    return TomlWriter{option}(EgressSourceConfig{}.*field);
  }
  template <class Value>
  std::string operator()(Value EgressPoolConfig::*field) const {
    return TomlWriter{option}(EgressPoolConfig{}.*field);
  }
  template <class Value>
  std::string operator()(Value EgressRule::*field) const {
    return TomlWriter{option}(EgressRule{}.*field);
  }
  template <class Value>
  std::string operator()(Value EgressPauseRule::*field) const {
    return TomlWriter{option}(EgressPauseRule{}.*field);
  }
  std::string operator()(const EndpointField& field) const {
    const Config config;
    return quoted(fmt::format("{}:{}", (config.*field.address).str(), config.*field.port));
  }
};

std::string duration_range(const Option& option) {
  const auto text = [](std::uint64_t seconds) {
    return quoted(format_duration(Seconds(static_cast<Seconds::rep>(seconds))));
  };
  return fmt::format("{} to {}", text(option.least), text(option.most));
}

std::string one_explanation(const Option& option) {
  const std::string value = default_value(option);
  std::string text = fmt::format("{}\n  {}\n  Allowed: {}.\n", option.full_name(), option.help, allowed_values(option));
  text += value.empty() ? fmt::format("  Example: {} = {}\n", option.name, option.example)
                        : fmt::format("  Default: {}\n", value);
  return text;
}

Result<std::string> unknown_option(std::string_view name) {
  std::vector<std::string> full_names;
  for (const Option& option : all_options()) full_names.push_back(option.full_name());
  std::vector<std::string_view> words(full_names.begin(), full_names.end());
  for (const Option& option : all_options()) words.push_back(option.name);
  for (const Section& section : kSections) words.push_back(section.name);
  const std::string_view nearest = nearest_word(name, words);
  return fail(ErrorKind::NotFound, fmt::format("there is no option \"{}\"; {}", printable(name),
                                               nearest.empty() ? "\"waxwing config explain\" lists all of them"
                                                               : fmt::format("did you mean \"{}\"?", nearest)));
}

}  // namespace

std::string Option::full_name() const {
  return section.empty() ? std::string(name) : fmt::format("{}.{}", section, name);
}

bool is_repeated_section(std::string_view section) {
  return section == "listener" || section == "account" || section == "tenant" || section == "route" ||
         section.find('.') != std::string_view::npos;
}

std::string_view section_help(std::string_view section) {
  const auto* found = std::ranges::find(kSections, section, &Section::name);
  return found == std::end(kSections) ? std::string_view() : found->help;
}

const Option* find_option(std::string_view section, std::string_view name) {
  for (const Option& option : all_options()) {
    if (option.section == section && option.name == name) return &option;
  }
  return nullptr;
}

std::string default_value(const Option& option) {
  if (is_repeated_section(option.section) && !option.example.empty()) return "";
  return std::visit(DefaultReader{option}, option.field);
}

std::string allowed_values(const Option& option) {
  std::vector<std::string> words;
  switch (option.type) {
    case OptionType::Name:
      return "a string of 1 to 64 letters, digits, \"-\" and \"_\"";
    case OptionType::Tenant:
      return "a string of 1 to 128 printable ASCII characters without space";
    case OptionType::Tenants:
      return fmt::format("an array of at most {} strings, each of 1 to 128 printable ASCII characters without space",
                         option.most);
    case OptionType::Sender:
      return fmt::format("an array of at most {} strings, each a domain, \"*.\" and a domain, or an address",
                         option.most);
    case OptionType::Recipients:
      return fmt::format("an array of 1 to {} strings, each a domain, \"*.\" and a domain, or \"*\"", option.most);
    case OptionType::NextHops:
      return fmt::format(
          "an array of at most {} strings, each a host name or an address in brackets, with or without port, such as "
          "\"smtp.example.net:587\" or \"[192.0.2.1]:2525\"",
          option.most);
    case OptionType::Identity:
      return fmt::format(
          "an array of at most {} strings, each an address, a host name, or \"sha256:\" and a SHA-256 in "
          "base64 or hexadecimal",
          option.most);
    case OptionType::Hash:
      return "a string that begins with \"$y$\", a yescrypt hash as mkpasswd(1) makes it";
    case OptionType::ScramKeys:
      return "a string that begins with \"SCRAM-SHA-256$\", as \"waxwing account hash\" prints it";
    case OptionType::Domain:
      return "a string, a domain name";
    case OptionType::Directory:
      return "a string, an absolute path";
    case OptionType::File:
      return "a string, the absolute path of a file that exists";
    case OptionType::Number:
      return fmt::format("a whole number{}, {} to {}", option.unit.empty() ? "" : fmt::format(" of {}", option.unit),
                         option.least, option.most);
    case OptionType::Size:
      return fmt::format("a string such as \"50MiB\" (B, KiB, MiB, GiB), {} to {}", quoted(format_size(option.least)),
                         quoted(format_size(option.most)));
    case OptionType::Duration:
      return fmt::format("a string such as \"5d\" (s, m, h, d), {}", duration_range(option));
    case OptionType::Durations:
      return fmt::format("an array of 1 to {} strings such as \"5m\" (s, m, h, d), each {}", kMaxRetryDelays,
                         duration_range(option));
    case OptionType::Address:
      return "a string, an IPv4 or IPv6 address";
    case OptionType::Addresses:
      return fmt::format("an array of at most {} strings, each an IPv4 or IPv6 address", option.most);
    case OptionType::Pins:
      return fmt::format("an array of at most {} strings, each the base64 of 32 octets", option.most);
    case OptionType::Endpoint:
      return "a string, an IP address with or without port, such as \"127.0.0.1:53\" or \"[::1]:53\"";
    case OptionType::Choice:
      for (const ChoiceWord& choice : option.choices) words.push_back(quoted(choice.word));
      return fmt::format("one of {}", fmt::join(words, ", "));
    case OptionType::Date:
      return "a date such as 2026-12-31, without quotes";
    case OptionType::Text:
      return "a string of 1 to 500 octets on one line";
    case OptionType::Numbers:
      return fmt::format("an array of 1 to {} whole numbers{}, each {} to {}", kMaxRetryDelays,
                         option.unit.empty() ? "" : fmt::format(" of {}", option.unit), option.least, option.most);
    case OptionType::Shares:
      return fmt::format(
          "an array of 1 to {} names, or a table such as {{a = 3, b = 1}} of names with weights of 1 to {}",
          kMaxEgressSources, kMaxEgressWeight);
    case OptionType::Flag:
      break;
  }
  return "true or false";
}

Result<std::string> explain_option(std::string_view name) {
  std::string text;
  for (const Option& option : all_options()) {
    if (option.full_name() == name) return one_explanation(option);
    if (option.name == name || (option.section == name && !name.empty())) {
      text += (text.empty() ? "" : "\n") + one_explanation(option);
    }
  }
  if (text.empty()) return unknown_option(name);
  return text;
}

}  // namespace waxwing
