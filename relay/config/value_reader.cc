#include "relay/config/value_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "policy/ascii.h"
#include "policy/base64.h"
#include "policy/client_certificate.h"
#include "policy/mail_address.h"
#include "policy/scram_keys.h"
#include "policy/utf8.h"
#include "relay/config/quantity.h"
#include "relay/config/route_config.h"
#include "relay/config/spelling.h"

namespace waxwing {
namespace {

constexpr std::size_t kMaxNameOctets = 64;
constexpr std::size_t kMaxTenantOctets = 128;
constexpr std::size_t kMaxHashOctets = 384;
constexpr std::size_t kMaxPathOctets = 4'095;
constexpr std::size_t kMaxTextOctets = 500;
constexpr std::size_t kMaxShownOctets = 100;

std::string_view type_name(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "an array";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "a whole number";
    case toml::node_type::floating_point:
      return "a number with a fraction";
    case toml::node_type::boolean:
      return "true or false";
    default:
      return "a date or time";
  }
}

std::string shown(std::string_view text) {
  if (text.size() <= kMaxShownOctets) return fmt::format("\"{}\"", text);
  return fmt::format("\"{}\" and so on", text.substr(0, kMaxShownOctets));
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= kMaxNameOctets &&
         std::ranges::all_of(text, [](char c) { return is_ascii_alnum(c) || c == '-' || c == '_'; });
}

bool is_tenant(std::string_view text) {
  return !text.empty() && text.size() <= kMaxTenantOctets &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
}

bool is_pin(std::string_view text) {
  constexpr std::size_t kSha256Octets = 32;
  const auto digest = decode_base64(text);
  return digest && digest->size() == kSha256Octets && encode_base64(*digest) == text;
}

// Logs and replies show it on one line.
bool is_text(std::string_view text) {
  return !text.empty() && text.size() <= kMaxTextOctets && is_valid_utf8(text) &&
         std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; });
}

bool is_sender(std::string_view text) {
  if (text.find('@') != std::string_view::npos) return MailAddress::parse(text).has_value();
  return DomainName::parse(text.starts_with("*.") ? text.substr(2) : text).has_value();
}

bool is_hash(std::string_view text) {
  return text.starts_with("$y$") && text.size() < kMaxHashOctets &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
}

bool is_absolute_path(std::string_view text) {
  return text.starts_with('/') && text.size() <= kMaxPathOctets && text.find('\0') == std::string_view::npos;
}

struct EndpointText {
  std::string_view address;
  std::optional<std::string_view> port;
};

EndpointText split_endpoint(std::string_view text) {
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return {text, {}};
    const std::string_view rest = text.substr(close + 1);
    if (rest.empty()) return {text.substr(1, close - 1), {}};
    return rest.starts_with(':') ? EndpointText{text.substr(1, close - 1), rest.substr(1)} : EndpointText{text, {}};
  }
  const std::size_t colon = text.find(':');
  const bool is_ipv6 = colon != std::string_view::npos && text.find(':', colon + 1) != std::string_view::npos;
  if (colon == std::string_view::npos || is_ipv6) return {text, {}};
  return {text.substr(0, colon), text.substr(colon + 1)};
}

}  // namespace

void ValueReader::complain(const toml::node& node, std::string_view problem) {
  mistakes_.add(place_of(node), fmt::format("{} {}", option_.full_name(), problem),
                fmt::format("Write {}", allowed_values(option_)));
}

void ValueReader::complain_type(const toml::node& node) {
  complain(node, fmt::format("is {}", type_name(node)));
}

void ValueReader::read(const toml::node& node, std::string& out) {
  const auto text = node.value_exact<std::string_view>();
  if (!text) return complain_type(node);
  if (option_.type == OptionType::Domain) {
    const auto domain = DomainName::parse(*text);
    if (!domain) return complain(node, fmt::format("is {}: {}", shown(*text), domain.error().detail));
    out = domain->str();
    return;
  }
  if (option_.type == OptionType::Name && !is_name(*text)) return complain(node, fmt::format("is {}", shown(*text)));
  if (option_.type == OptionType::Tenant && !is_tenant(*text))
    return complain(node, fmt::format("is {}", shown(*text)));
  if (option_.type == OptionType::Text && !is_text(*text)) return complain(node, fmt::format("is {}", shown(*text)));
  if (option_.type == OptionType::Pins && !is_pin(*text)) {
    return complain(node, fmt::format("holds {}", shown(*text)));
  }
  if (option_.type == OptionType::Tenants && !is_tenant(*text))
    return complain(node, fmt::format("holds {}", shown(*text)));
  if (option_.type == OptionType::Sender && !is_sender(*text))
    return complain(node, fmt::format("holds {}", shown(*text)));
  if (option_.type == OptionType::Recipients) {
    auto domain = parse_route_domain(*text);
    if (!domain) return complain(node, fmt::format("holds {}: {}", shown(*text), domain.error().detail));
    out = std::move(*domain);
    return;
  }
  if (option_.type == OptionType::NextHops) {
    if (const auto hop = parse_next_hop(*text); !hop)
      return complain(node, fmt::format("holds {}: {}", shown(*text), hop.error().detail));
  }
  if (option_.type == OptionType::Identity && !parse_certificate_identity(*text))
    return complain(node, fmt::format("holds {}", shown(*text)));
  if (option_.type == OptionType::Hash && !is_hash(*text)) return complain(node, "is no such hash");
  if (option_.type == OptionType::ScramKeys && !parse_scram_keys(*text)) return complain(node, "holds no such keys");
  const bool is_path = option_.type == OptionType::Directory || option_.type == OptionType::File;
  if (is_path && !is_absolute_path(*text)) {
    return complain(node, fmt::format("is {}, which is not an absolute path", shown(*text)));
  }
  out = *text;
}

void ValueReader::read(const toml::node& node, bool& out) {
  const auto flag = node.value_exact<bool>();
  if (!flag) return complain_type(node);
  out = *flag;
}

void ValueReader::read(const toml::node& node, Seconds& out) {
  const auto text = node.value_exact<std::string_view>();
  if (!text) return complain_type(node);
  const auto duration = parse_duration(*text);
  if (!duration) return complain(node, fmt::format("is {}, which is not a length of time", shown(*text)));
  const auto seconds = static_cast<std::uint64_t>(duration->count());
  if (seconds < option_.least || seconds > option_.most) {
    return complain(node, fmt::format("is {}, which is out of range", shown(*text)));
  }
  out = *duration;
}

void ValueReader::read(const toml::node& node, IpAddress& out) {
  const auto text = node.value_exact<std::string_view>();
  if (!text) return complain_type(node);
  const auto address = IpAddress::parse(*text);
  if (!address) return complain(node, fmt::format("is {}, which is not an IP address", shown(*text)));
  out = *address;
}

void ValueReader::read(const toml::node& node, WallTime& out) {
  const auto date = node.value_exact<toml::date>();
  if (!date) return complain_type(node);
  out = std::chrono::sys_days(std::chrono::year(date->year) / date->month / date->day);  // TOML++ took a real day only
}

// Names alone, or names with weights.
void ValueReader::read(const toml::node& node, std::vector<EgressShare>& out) {
  const toml::array* names = node.as_array();
  const toml::table* weights = node.as_table();
  if (names == nullptr && weights == nullptr) return complain_type(node);
  const std::size_t count = names != nullptr ? names->size() : weights->size();
  if (count == 0 || count > kMaxEgressSources) return complain(node, fmt::format("holds {} names", count));
  std::vector<EgressShare> shares;
  if (names != nullptr) {
    for (const toml::node& name : *names) {
      const auto text = name.value_exact<std::string_view>();
      if (!text) return complain(name, fmt::format("holds {}", type_name(name)));
      read_share(name, *text, 1, shares);
    }
  } else {
    for (const auto& [name, weight] : *weights)
      read_share(weight, name.str(), weight.value_exact<std::int64_t>().value_or(0), shares);
  }
  if (shares.size() == count) out = std::move(shares);
}

void ValueReader::read_share(const toml::node& node, std::string_view source, std::int64_t weight,
                             std::vector<EgressShare>& out) {
  if (!is_name(source)) return complain(node, fmt::format("holds {}", shown(source)));
  if (weight < 1 || weight > static_cast<std::int64_t>(kMaxEgressWeight))
    return complain(node, fmt::format("gives {} a weight that is out of range", shown(source)));
  out.push_back({std::string(source), static_cast<std::uint64_t>(weight)});
}

void ValueReader::read_endpoint(const toml::node& node, IpAddress& address, std::uint16_t& port) {
  const auto text = node.value_exact<std::string_view>();
  if (!text) return complain_type(node);
  const EndpointText parts = split_endpoint(*text);
  const auto parsed_address = IpAddress::parse(parts.address);
  const auto parsed_port = parts.port ? parse_port(*parts.port) : port;
  if (!parsed_address || !parsed_port) {
    return complain(node, fmt::format("is {}, which is not an address with or without port", shown(*text)));
  }
  address = *parsed_address;
  port = *parsed_port;
}

void ValueReader::read_number(const toml::node& node, std::uint64_t& out) {
  const auto text = node.value_exact<std::string_view>();
  const auto number = node.value_exact<std::int64_t>();
  if (!number && !(text && option_.type == OptionType::Size)) return complain_type(node);
  std::optional<std::uint64_t> value;
  if (number && *number >= 0) value = static_cast<std::uint64_t>(*number);
  if (text) {
    value = parse_size(*text);
    if (!value) return complain(node, fmt::format("is {}, which is not a size", shown(*text)));
  }
  if (!value || *value < option_.least || *value > option_.most) {
    return complain(node, fmt::format("is {}, which is out of range", number ? std::to_string(*number) : shown(*text)));
  }
  out = *value;
}

void ValueReader::read_choice(const toml::node& node, int& out) {
  const auto text = node.value_exact<std::string_view>();
  if (!text) return complain_type(node);
  std::vector<std::string_view> words;
  for (const ChoiceWord& choice : option_.choices) {
    if (choice.word == *text) {
      out = choice.value;
      return;
    }
    words.push_back(choice.word);
  }
  const std::string_view nearest = nearest_word(*text, words);
  complain(node, fmt::format("is {}{}", shown(*text),
                             nearest.empty() ? std::string() : fmt::format("; did you mean \"{}\"?", nearest)));
}

}  // namespace waxwing
