#pragma once

#include <string>
#include <string_view>

namespace waxwing::bench {

/// A file of message identifiers, one a line, each written at once, so that a kill loses none that was told to a peer.
/// May be used from several threads.
class Ledger {
 public:
  /// @param file  created or appended to; empty: nothing is written
  explicit Ledger(const std::string& file);
  ~Ledger();
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  /// Adds a line. Ends the program when it cannot: its figures would be worth nothing.
  void add(std::string_view message_id);

 private:
  int descriptor_ = -1;
};

}  // namespace waxwing::bench
