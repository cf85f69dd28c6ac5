#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace waxwing::fuzz {

/// Hands out parts of an input that a fuzzer chose.
class OctetSource {
 public:
  OctetSource(const std::uint8_t* octets, std::size_t size) : rest_(reinterpret_cast<const char*>(octets), size) {}

  /// The next octet; 0 at the end.
  std::uint8_t octet() {
    if (rest_.empty()) return 0;
    const auto first = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return first;
  }

  /// All up to the next LF, which is passed over; seeds stay readable when their parts are lines.
  std::string_view line() {
    const std::size_t end = rest_.find('\n');
    const std::string_view text = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    return text;
  }

  std::string_view rest() {
    const std::string_view text = rest_;
    rest_ = {};
    return text;
  }

  [[nodiscard]] bool empty() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

/// Cuts a text into chunks whose lengths depend on nothing but `seed`.
template <class Take>
void in_chunks(std::string_view text, std::uint8_t seed, Take take) {
  std::uint32_t state = seed;
  while (!text.empty()) {
    state = state * 1'664'525 + 1'013'904'223;
    const std::size_t octets = seed == 0 ? 1 : 1 + (state >> 24) % (std::size_t{1} << (seed % 9));
    take(text.substr(0, octets));
    text.remove_prefix(octets < text.size() ? octets : text.size());
  }
}

}  // namespace waxwing::fuzz
