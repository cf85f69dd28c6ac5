<?php
require '/usr/share/php/libphp-phpmailer/autoload.php';
$mail = new PHPMailer\PHPMailer\PHPMailer(true);
$mail->isSMTP();
$mail->Host = getenv('HOST');
$mail->Port = (int)getenv('PORT');
$mail->SMTPAuth = true;
$mail->Username = getenv('SMTP_USER');
$mail->Password = getenv('PASSWORD');
$mail->SMTPSecure = ['none' => '', 'starttls' => 'tls', 'implicit' => 'ssl'][getenv('WAY')];
$mail->CharSet = 'utf-8';
$mail->setFrom(getenv('SENDER'));
$mail->addAddress(getenv('RECIPIENT'));
$mail->Subject = getenv('SUBJECT');
$mail->Body = getenv('BODY');
$mail->send();
