#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace waxwing::bench {

/// The receiving side of one SMTP connection, without I/O: takes every message and remembers only its Message-ID.
class SinkSession {
 public:
  enum class Next {
    Continue,
    StartTls,  ///< after the replies; then tell it by secured()
    Close,     ///< after the replies
  };
  struct Message {
    std::string_view message_id;  ///< without angle brackets; empty: none
    std::size_t octets;
  };

  /// @param offers_starttls  whether STARTTLS is announced
  /// @param on_message       called for each complete message, before its 250
  SinkSession(bool offers_starttls, std::function<void(const Message&)> on_message);

  /// What to say first.
  [[nodiscard]] static std::string_view greeting() { return "220 sink.example ESMTP\r\n"; }

  /// Takes octets of the client and appends what to answer.
  [[nodiscard]] Next feed(std::string_view octets, std::string& replies);

  /// Tells that TLS has been established: the dialogue begins anew (RFC 3207 §4.2).
  void secured();

 private:
  [[nodiscard]] Next read_command(std::string_view line, std::string& replies);
  [[nodiscard]] bool read_content(std::string& replies);

  bool offers_starttls_;
  std::function<void(const Message&)> on_message_;
  std::string unread_;        ///< of the client, beginning at a command or at message content
  std::size_t searched_ = 0;  ///< part of `unread_` that is known to hold no end of the content
  bool in_content_ = false;
};

}  // namespace waxwing::bench
