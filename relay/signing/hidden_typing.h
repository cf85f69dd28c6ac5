#pragma once

#include <termios.h>

namespace waxwing {

/// Keeps what is typed at a terminal from being shown while it lives.
class HiddenTyping {
 public:
  /// @param descriptor  of the terminal, borrowed; of anything else, nothing happens
  explicit HiddenTyping(int descriptor);
  ~HiddenTyping();
  HiddenTyping(const HiddenTyping&) = delete;
  HiddenTyping& operator=(const HiddenTyping&) = delete;

  [[nodiscard]] bool is_hidden() const { return is_hidden_; }

 private:
  int descriptor_;
  termios shown_{};
  bool is_hidden_ = false;
};

}  // namespace waxwing
