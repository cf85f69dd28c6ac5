#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

namespace waxwing {

/// Octets that a peer sent, worked off from the front. A password may be among them, so that nothing stays behind: what is
/// consumed is overwritten, and so is what is left when the buffer grows, moves, is cleared or goes.
class InputBuffer {
 public:
  InputBuffer() = default;
  InputBuffer(InputBuffer&& other) noexcept;
  InputBuffer& operator=(InputBuffer&& other) noexcept;
  InputBuffer(const InputBuffer&) = delete;
  InputBuffer& operator=(const InputBuffer&) = delete;
  ~InputBuffer();

  /// Adds octets behind those that wait. Memory grows as far as needed; bounds are the owner's.
  void append(std::string_view octets);

  /// What waits; valid until the next call that is not const.
  [[nodiscard]] std::string_view view() const { return {octets_.get() + begin_, end_ - begin_}; }
  [[nodiscard]] bool empty() const { return begin_ == end_; }
  [[nodiscard]] std::size_t size() const { return end_ - begin_; }

  /// Takes `count` octets off the front and overwrites them.
  /// @param count  at most size()
  void consume(std::size_t count);

  /// Takes all off; the memory is kept for what comes next.
  void clear() { consume(size()); }

 private:
  void make_room(std::size_t count);

  std::unique_ptr<char[]> octets_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace waxwing
