#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "policy/lookup.h"

namespace waxwing::test {

using Octets = std::vector<std::uint8_t>;

inline void append(Octets& octets, const Octets& more) {
  octets.insert(octets.end(), more.begin(), more.end());
}

inline Octets u16(unsigned value) {
  return {static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
}

inline Octets u32(std::uint32_t value) {
  Octets octets = u16(value >> 16);
  append(octets, u16(value & 0xffff));
  return octets;
}

/// A name without escapes on the wire; "" and "." are the root.
inline Octets wire_name(std::string_view text) {
  Octets octets;
  if (text == ".") text = {};
  while (!text.empty()) {
    const std::string_view label = text.substr(0, text.find('.'));
    octets.push_back(static_cast<std::uint8_t>(label.size()));
    octets.insert(octets.end(), label.begin(), label.end());
    text.remove_prefix(std::min(text.size(), label.size() + 1));
  }
  octets.push_back(0);
  return octets;
}

/// Puts a reply together, right or wrong in every detail.
struct ReplyBuilder {
  Question question{"name.example", RecordType::A};
  unsigned id = 0x1234;
  unsigned flags = 0x8180;  ///< QR, RD, RA
  unsigned rcode = 0;
  unsigned question_count = 1;
  Octets answer{};
  Octets authority{};
  Octets additional{};
  unsigned answers = 0;
  unsigned authorities = 0;
  unsigned additionals = 0;

  ReplyBuilder& secure() {
    flags |= 0x20u;
    return *this;
  }

  static Octets record(const Octets& owner, unsigned type, std::uint32_t ttl, const Octets& rdata,
                       unsigned its_class = 1) {
    Octets octets = owner;
    append(octets, u16(type));
    append(octets, u16(its_class));
    append(octets, u32(ttl));
    append(octets, u16(static_cast<unsigned>(rdata.size())));
    append(octets, rdata);
    return octets;
  }

  ReplyBuilder& add(std::string_view owner, RecordType type, std::uint32_t ttl, const Octets& rdata) {
    append(answer, record(wire_name(owner), static_cast<unsigned>(type), ttl, rdata));
    ++answers;
    return *this;
  }

  ReplyBuilder& add_alias(std::string_view owner, std::string_view target, std::uint32_t ttl = 300) {
    return add(owner, RecordType::CNAME, ttl, wire_name(target));
  }

  ReplyBuilder& add_soa(std::uint32_t ttl, std::uint32_t minimum) {
    Octets rdata = wire_name("ns.example");
    append(rdata, wire_name("hostmaster.example"));
    for (const std::uint32_t number : {1u, 2u, 3u, 4u, minimum}) append(rdata, u32(number));
    append(authority, record(wire_name("example"), 6, ttl, rdata));
    ++authorities;
    return *this;
  }

  ReplyBuilder& add_opt(unsigned extended_rcode) {
    append(additional, record(wire_name("."), 41, extended_rcode << 24, {}, 1232));
    ++additionals;
    return *this;
  }

  [[nodiscard]] Octets build() const {
    Octets octets = u16(id);
    append(octets, u16(flags | rcode));
    for (const unsigned count : {question_count, answers, authorities, additionals}) append(octets, u16(count));
    append(octets, wire_name(question.name));
    append(octets, u16(static_cast<unsigned>(question.type)));
    append(octets, u16(1));
    append(octets, answer);
    append(octets, authority);
    append(octets, additional);
    return octets;
  }
};

}  // namespace waxwing::test
