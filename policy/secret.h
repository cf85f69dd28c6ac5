#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

namespace waxwing {

/// Octets that must not outlive their use: wiped when destroyed or replaced, movable, never copied, never printed.
class Secret {
 public:
  Secret() = default;

  /// Copies `octets`; wiping the original stays with the caller.
  explicit Secret(std::string_view octets);

  /// Makes `size` zero octets, to be filled through writable().
  [[nodiscard]] static Secret zeros(std::size_t size);

  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret();

  /// The octets, valid until this object is moved from or destroyed. Whoever copies them owns a secret.
  [[nodiscard]] std::string_view reveal() const { return {octets_.get(), size_}; }

  /// The octets for writing; same lifetime as reveal().
  [[nodiscard]] char* writable() { return octets_.get(); }

  [[nodiscard]] std::size_t size() const { return size_; }

  template <class Stream>
  friend Stream& operator<<(Stream&, const Secret&) = delete;

 private:
  void wipe();

  // Not a std::string: moving a short one leaves its octets behind in the source.
  std::unique_ptr<char[]> octets_;
  std::size_t size_ = 0;
};

}  // namespace waxwing
