// SPDX-License-Identifier: BSD-3-Clause

import com.google.gerrit.pgm.util.AbstractProgram;
import java.util.Arrays;

/** Runs one of Gerrit's programs (Init, Daemon) without the WAR around it. */
public class Launch {
  public static void main(String[] argv) throws Exception {
    Class<?> program = Class.forName("com.google.gerrit.pgm." + argv[0]);
    AbstractProgram instance = (AbstractProgram) program.getDeclaredConstructor().newInstance();
    System.exit(instance.main(Arrays.copyOfRange(argv, 1, argv.length)));
  }
}
