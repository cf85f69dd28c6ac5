#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "tests/transport/dns/message_builder.h"

namespace waxwing::test {

/// What a server sees of a query, which getdns made.
struct ReceivedQuery {
  bool checking_disabled = false;
  bool dnssec_ok = false;
  ReplyBuilder reply;  ///< with the query's identifier and question
};

inline ReceivedQuery read_query(std::span<const std::uint8_t> octets) {
  ReceivedQuery query{.checking_disabled = (octets[3] & 0x10) != 0, .dnssec_ok = false, .reply = {}};
  query.reply.id = octets[0] * 256u + octets[1];
  std::size_t offset = 12;
  std::string name;
  while (octets[offset] != 0) {
    if (!name.empty()) name += '.';
    name.append(reinterpret_cast<const char*>(&octets[offset + 1]), octets[offset]);
    offset += 1u + octets[offset];
  }
  query.reply.question = {name, static_cast<RecordType>(octets[offset + 1] * 256 + octets[offset + 2])};
  const std::size_t opt = offset + 5;  // root, type, class, ttl with the DO bit
  query.dnssec_ok = octets.size() >= opt + 8 && (octets[opt + 7] & 0x80) != 0;
  return query;
}

}  // namespace waxwing::test
