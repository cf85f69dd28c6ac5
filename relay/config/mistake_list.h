#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>

#include "relay/config/mistake.h"

namespace waxwing {

/// A place in the configuration file; line 0 is the file as a whole.
struct Place {
  unsigned line = 0;
  unsigned column = 0;
};

/// That an option stands in the file.
struct Setting {
  Place place;
  bool understood = true;  ///< false: its value is a mistake, so that the option has its default
};

/// What the file sets, by full name; in listeners "listener.0.tls" and so on, and "listener.0" for the whole.
using Settings = std::map<std::string, Setting, std::less<>>;

/// Collects mistakes in any order.
class MistakeList {
 public:
  explicit MistakeList(std::string file) : file_(std::move(file)) {}

  void add(Place place, std::string problem, std::string remedy);

  [[nodiscard]] std::size_t size() const { return mistakes_.size(); }

  /// All of them in the order of the file, each once, at most kMaxConfigMistakes.
  [[nodiscard]] ConfigMistakes take();

 private:
  std::string file_;
  ConfigMistakes mistakes_;
};

}  // namespace waxwing
