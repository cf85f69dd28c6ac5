#pragma once

#include <string>
#include <vector>

#include "keys/rotation.h"
#include "policy/result.h"
#include "policy/time_point.h"
#include "relay/rotation/record_sight.h"
#include "transport/io/endpoint.h"

namespace waxwing {

/// What to look for.
struct ObservedRecord {
  std::string name;
  std::string record;
  ExpectedRecord expected = ExpectedRecord::Present;
};

/// Looks for records in the DNS as sight_record() says, many at a time, and waits for the answers. What is common to
/// many names (zones, name servers and their addresses) is asked once for each call.
class RecordObserver {
 public:
  struct Options {
    Endpoint resolver;
    std::uint16_t server_port = 53;  ///< of authoritative servers
    Milliseconds timeout{5'000};     ///< for each answer
    std::size_t at_a_time = 100;     ///< looks under way
  };
  explicit RecordObserver(Options options) : options_(options) {}

  /// @return  one for each record, in their order
  [[nodiscard]] std::vector<RecordSighting> observe(const std::vector<ObservedRecord>& records) const;

 private:
  Options options_;
};

}  // namespace waxwing
