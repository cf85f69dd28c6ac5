#pragma once

#include <toml++/toml.h>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "policy/ip_address.h"
#include "policy/time_point.h"
#include "relay/config/mistake_list.h"
#include "relay/config/schema.h"

namespace waxwing {

/// Turns one TOML value into the value of one option. Each read() leaves `out` alone where it finds a mistake.
class ValueReader {
 public:
  ValueReader(const Option& option, MistakeList& mistakes) : option_(option), mistakes_(mistakes) {}

  void read(const toml::node& node, std::string& out);
  void read(const toml::node& node, bool& out);
  void read(const toml::node& node, Seconds& out);
  void read(const toml::node& node, IpAddress& out);
  void read(const toml::node& node, WallTime& out);  ///< the beginning of that day
  void read(const toml::node& node, std::vector<EgressShare>& out);

  template <class Number>
  requires(std::is_integral_v<Number> && !std::is_same_v<Number, bool>) void read(const toml::node& node, Number& out) {
    std::uint64_t number = out;
    read_number(node, number);
    out = static_cast<Number>(number);  // fits: each row's range does
  }

  template <class Enumeration>
  requires std::is_enum_v<Enumeration>
  void read(const toml::node& node, Enumeration& out) {
    int value = static_cast<int>(out);
    read_choice(node, value);
    out = static_cast<Enumeration>(value);
  }

  template <class Element>
  void read(const toml::node& node, std::vector<Element>& out) {
    const toml::array* array = node.as_array();
    if (array == nullptr) return complain_type(node);
    if (array->size() < least_elements() || array->size() > most_elements()) {
      return complain(node, "holds " + std::to_string(array->size()) + " values");
    }
    out.clear();
    for (const toml::node& element : *array) read(element, out.emplace_back());
  }

  /// Reads "ADDRESS", "ADDRESS:PORT", "[V6]:PORT".
  void read_endpoint(const toml::node& node, IpAddress& address, std::uint16_t& port);

 private:
  void read_number(const toml::node& node, std::uint64_t& out);
  void read_choice(const toml::node& node, int& out);
  void complain_type(const toml::node& node);
  void complain(const toml::node& node, std::string_view problem);
  void read_share(const toml::node& node, std::string_view source, std::int64_t weight, std::vector<EgressShare>& out);
  // `least` and `most` of the option are about the elements.
  [[nodiscard]] bool is_ranged_list() const {
    return option_.type == OptionType::Durations || option_.type == OptionType::Numbers;
  }
  [[nodiscard]] std::size_t least_elements() const {
    return is_ranged_list() || option_.type == OptionType::Recipients ? 1 : 0;
  }
  [[nodiscard]] std::size_t most_elements() const { return is_ranged_list() ? kMaxRetryDelays : option_.most; }

  const Option& option_;
  MistakeList& mistakes_;
};

/// Where a node or key begins.
template <class NodeOrKey>
[[nodiscard]] Place place_of(const NodeOrKey& node) {
  return {static_cast<unsigned>(node.source().begin.line), static_cast<unsigned>(node.source().begin.column)};
}

}  // namespace waxwing
